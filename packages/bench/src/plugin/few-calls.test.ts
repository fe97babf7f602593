import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { getScenario } from '../../test/sample-report.js'
import { usualCall } from '../scenarios/payloads.js'
import { getSlotMs, QUICK } from '../run/plan.js'
import { getPausedCalls } from './few-calls.js'
import { measureFresh } from '../run/measure-fresh.js'
import { lacksProcessTree } from '../run/process-tree.js'

const scenario = getScenario('few-calls')
const greet = usualCall.calls[0]!

test('a quick run makes 20 calls with pauses, and the shortest one', () => {
  expect(getPausedCalls(getSlotMs(QUICK, scenario, scenario.cases[0]!))).toBe(20)
  expect(getPausedCalls(1)).toBe(1)
})

test('reports an error of the measured process', async () => {
  const job = { plugin: 'nothing', greet, count: 1 }
  await expect(measureFresh({ fewCalls: job })).rejects.toThrow("Unknown kind of plugin 'nothing'")
})

test('a wrong answer fails the measurement', () =>
  rows(['quickjs', 'isolation-ring-json'])(async plugin => {
    const wrong = { ...greet, expected: 'Hello, Moon!' }
    await expect(measureFresh({ fewCalls: { plugin, greet: wrong, count: 0 } })).rejects.toThrow(
      'expected Hello, Moon!',
    )
  }))

test('calls have their times', async () => {
  const figures = await measureFresh({ fewCalls: { plugin: 'worker', greet, count: 3 } })
  const cpu = lacksProcessTree() === undefined ? ['cpu'] : []
  expect(Object.keys(figures)).toEqual(['ready', 'first', 'next', 'p50', ...cpu])
  for (const figure of Object.values(figures)) expect(figure).toBeGreaterThan(0)
})
