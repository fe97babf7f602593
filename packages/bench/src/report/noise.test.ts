import { expect, test } from 'vitest'
import { sampleReport } from '../../test/sample-report.js'
import type { Outcome } from '../run/run.js'
import { allScenarios, getScenario } from '../scenarios/index.js'

const noise = getScenario('noise')

const others = allScenarios().filter(({ id }) => id !== noise.id)

/** The second brownfield arm takes so many times as long as the first. */
const strayBy =
  (factor: number) =>
  (outcomes: Outcome[]): Outcome[] => {
    for (const cell of outcomes.flatMap(({ cells }) => cells)) {
      if (cell.arm.id !== 'ring-json-again') continue
      cell.processes = cell.processes.map(rounds => rounds.map(one => ({ ...one, p50: one['p50']! * factor })))
    }
    return outcomes
  }

test('arms that are the same and look so: steady', () => {
  const found = sampleReport(undefined, [noise]).noise!
  expect(found.outcome).toBe('steady')
  expect(found.checks.map(({ figure }) => figure)).toEqual([
    'noise/1/ring-json-again/p50',
    'noise/64/ring-json-again/rate',
  ])
  for (const { ratio } of found.checks) expect(ratio).toBe(1)
})

test('one that differs from itself by more than a tenth, in either direction: too noisy', () => {
  expect(sampleReport(strayBy(1.09), [noise]).noise?.outcome).toBe('steady')
  expect(sampleReport(strayBy(1.2), [noise]).noise?.outcome).toBe('too noisy')
  expect(sampleReport(strayBy(0.8), [noise]).noise?.outcome).toBe('too noisy')
})

test('goals are neither met nor missed then', () => {
  const scenarios = [noise, ...others]
  const steady = sampleReport(undefined, scenarios).goals.map(({ outcome }) => outcome)
  expect(steady).toEqual(expect.arrayContaining(['met']))
  const noisy = sampleReport(strayBy(2), scenarios).goals.map(({ outcome }) => outcome)
  expect(noisy).toHaveLength(steady.length)
  expect(new Set(noisy)).toEqual(new Set(['too noisy', ...steady.filter(outcome => outcome === 'reported')]))
})

test('a run without arms that are measured twice can’t tell', () => {
  expect(sampleReport(undefined, others).noise).toBeNull()
})
