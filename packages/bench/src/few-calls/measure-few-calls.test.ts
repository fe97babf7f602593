import { expect, test } from 'vitest'
import { fewCallsArms } from '../arms/few-calls.js'
import { usualCall } from '../payloads/payloads.js'
import { QUICK, FULL, getSlotMs } from '../run/plan.js'
import { getScenario } from '../../test/sample-report.js'
import { CALLERS } from './callers.js'
import { measureFewCalls, planPauses, toFigures } from './measure-few-calls.js'

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

test('figures are means of the first calls, and medians of the others', () => {
  const paused = [
    { times: [9, 1, 5], cpu: 7 },
    { times: [6, 8], cpu: 3 },
  ]
  expect(toFigures({ start: 10, marks: [110, 110 + 99 * 4, 110 + 99 * 4 + 900 * 2], paused })).toEqual({
    ...{ ready: 100, first: 4, next: 2, p50: 5, cpu: 7 },
    ...{ 'rare-p50': 7, 'rare-cpu': 3 },
  })
})

test('figures that the caller cannot measure are left out', () => {
  const figures = toFigures({ start: 0, marks: [1, 100, 1000], paused: [{}] })
  expect(Object.keys(figures)).toEqual(['ready', 'first', 'next'])
})

test('each arm has a caller', () => {
  expect(fewCallsArms().map(({ id }) => id)).toEqual(Object.keys(CALLERS))
})

test('reports an error of the measured process', async () => {
  await expect(measureFewCalls('no-such-arm', 1, usualCall.calls[0]!)).rejects.toThrow("Unknown arm 'no-such-arm'")
})

test('a wrong answer fails the measurement of a frontend', async () => {
  const wrong = { ...usualCall.calls[0]!, expected: 'Hello, Moon!' }
  await expect(measureFewCalls('ses', 1, wrong)).rejects.toThrow('expected Hello, Moon!')
})

test('a frontend without a clock has the figures that core can measure', async () => {
  const figures = await measureFewCalls('ses', 1, usualCall.calls[0]!)
  expect(Object.keys(figures)).toEqual(['ready', 'first', 'next', 'cpu'])
  for (const figure of Object.values(figures)) expect(figure).toBeGreaterThan(0)
})
