import { expect, test } from 'vitest'
import { getScenario } from '../../test/sample-report.js'
import { usualCall } from '../payloads/payloads.js'
import { FULL, getSlotMs, QUICK } from '../run/plan.js'
import { planPauses, type FewCallsJob } from './few-calls.js'
import { measureFresh } from '../fresh/measure-fresh.js'
import { lacksProcessTree } from '../run/process-tree.js'

const scenario = getScenario('few-calls')
const [fresh] = scenario.cases

test('a quick run makes 20 calls each 20 ms, and a full one rarer calls too', () => {
  expect(planPauses(getSlotMs(QUICK, scenario, fresh!))).toEqual([{ pauseMs: 20, count: 20 }])
  expect(planPauses(getSlotMs(FULL, scenario, fresh!))).toEqual([
    { pauseMs: 20, count: 32 },
    { pauseMs: 250, count: 2 },
  ])
})

test('the shortest run makes one call', () => {
  expect(planPauses(1)).toEqual([{ pauseMs: 20, count: 1 }])
})

test('reports an error of the measured process', async () => {
  const job = { caller: { plugin: 'nothing' }, greet: usualCall.calls[0]!, pauses: [{ pauseMs: 1, count: 1 }] }
  await expect(measureFresh({ fewCalls: job })).rejects.toThrow("Unknown kind of plugin 'nothing'")
})

const callers: FewCallsJob['caller'][] = [{ plugin: 'quickjs' }, { plugin: 'birpc' }, { link: 'ring', hook: true }]

test.each(callers)('a wrong answer of %j fails the measurement', async caller => {
  const greet = { ...usualCall.calls[0]!, expected: 'Hello, Moon!' }
  await expect(measureFresh({ fewCalls: { caller, greet, pauses: [] } })).rejects.toThrow('expected Hello, Moon!')
})

test('calls with pauses have their times, and the rarer ones figures of their own', async () => {
  const pauses = [
    { pauseMs: 2, count: 3 },
    { pauseMs: 5, count: 2 },
  ]
  const job = { caller: { plugin: 'worker' }, greet: usualCall.calls[0]!, pauses }
  const figures = await measureFresh({ fewCalls: job })
  const cpu = lacksProcessTree() === undefined
  const expected = ['ready', 'first', 'next', 'p50', ...(cpu ? ['cpu'] : []), 'rare-p50', ...(cpu ? ['rare-cpu'] : [])]
  expect(Object.keys(figures)).toEqual(expected)
  for (const figure of Object.values(figures)) expect(figure).toBeGreaterThan(0)
})
