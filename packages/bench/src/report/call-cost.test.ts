import { expect, test } from 'vitest'
import { getScenario, sampleReport } from '../../test/sample-report.js'
import type { Scenario } from '../model/scenario.js'
import type { Outcome } from '../run/run.js'
import { getCallCost } from './call-cost.js'
import type { Report } from './report.js'

const shapes = getScenario('shapes')

/** A run whose rounds are those of a figure, as multiples of the arm's own figures. */
const runWith = (
  change: (path: string, scenario: Scenario) => number[] | undefined,
  scenarios: readonly Scenario[] = [shapes],
): Report =>
  sampleReport(
    (outcomes): Outcome[] =>
      outcomes.map(outcome => {
        for (const { inCase, arm, processes } of outcome.cells) {
          const factors = change(`${inCase.id}/${arm.id}`, outcome.scenario) ?? [1, 1, 1, 1]
          const round = Object.entries(processes[0]![0]!)
          const rounds = factors.map(by => Object.fromEntries(round.map(([id, value]) => [id, value * by])))
          processes.splice(0, processes.length, rounds)
        }
        return outcome
      }),
    scenarios,
  )

test('leads with the ratio of 64 calls in flight, then has the range of a call, with its reason', () => {
  expect(getCallCost([sampleReport()])).toBe(
    '64 calls in flight: 2.00× the rate of a raw MessagePort over a ring, 0.40× isolated. ' +
      'One call at a time: 21–29 µs over a ring, 51–59 µs over a port, 101–109 µs isolated (raw MessagePort: 41–49 µs), ' +
      'as the threads are awake or asleep.',
  )
})

test('one call has the range of calls back to back and of calls after a silence', () => {
  const run = runWith(path => (path === 'burst/ring-json' ? [1.5, 1.5, 1.5, 1.5] : undefined))
  expect(getCallCost([run])).toContain('One call at a time: 20–30 µs over a ring, 50 µs over a port')
})

test('has one range for several runs, and the interval that holds in all of them', () => {
  const faster = runWith(path => (path.endsWith('/ring-json') ? [0.2, 0.2, 0.2, 0.2] : undefined))
  const answer = getCallCost([runWith(() => undefined), faster])
  expect(answer).toContain('64 calls in flight: 0.40–2.00× the rate of a raw MessagePort over a ring')
  expect(answer).toContain('One call at a time: 4.0–20 µs over a ring')
})

test('has no ratio of a bimodal figure, nor of one whose reference is bimodal', () => {
  const [asleep, raw] = ['64/ring-json', '64/raw'].map(bimodal =>
    getCallCost([runWith(path => (path === bimodal ? [1, 4, 1, 4] : undefined))]),
  )
  expect(asleep).toMatch(/^64 calls in flight: 0\.40× the rate of a raw MessagePort isolated\./)
  expect(raw).toMatch(/^One call at a time: /)
})

test('takes no ratio of another scenario in place of a bimodal one', () => {
  const change = (path: string, scenario: Scenario) =>
    scenario === shapes && path === '64/raw' ? [1, 4, 1, 4] : undefined
  expect(getCallCost([runWith(change, [shapes, getScenario('isolation')])])).toMatch(/^One call at a time: /)
})

test('is about the calls that were measured, and leaves out arms that were not', () => {
  const report = sampleReport(undefined, [getScenario('channel')])
  expect(getCallCost([report])).toBeUndefined()
  const { arms, cases } = getScenario('isolation')
  const only = {
    ...getScenario('isolation'),
    arms: [arms[0], arms.find(({ id }) => id === 'ring-json')!] as const,
    cases: cases.slice(0, 1),
  }
  expect(getCallCost([sampleReport(outcomes => [...outcomes], [only])])).toBe(
    'One call at a time: 21–29 µs over a ring (raw MessagePort: 41–49 µs), as the threads are awake or asleep.',
  )
})
