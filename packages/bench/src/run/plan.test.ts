import { expect, test } from 'vitest'
import { budgetOf, deadlines, expectedMs, FULL, QUICK, roundsOf, totalMs } from './plan.js'
import { allScenarios } from '../scenarios/index.js'

const main = allScenarios().filter(one => one.main)

test('a quick run of the main scenarios ends within a minute, with time to spare', () => {
  expect(QUICK.budgetMs).toBeLessThan(60_000)
  expect(totalMs(QUICK, main)).toBeLessThan(QUICK.budgetMs * 0.9)
  expect(budgetOf(QUICK, main)).toBe(QUICK.budgetMs)
})

test('whatever takes longer is given what it takes', () => {
  for (const plan of [QUICK, FULL]) {
    expect(budgetOf(plan, allScenarios())).toBeGreaterThan(totalMs(plan, allScenarios()) * 1.05)
  }
})

test('a part of the rounds is even, and never none', () => {
  const half = { ...main[0]!, roundsShare: 0.5 }
  expect([1, 2, 3, 12, 50].map(rounds => roundsOf({ ...QUICK, rounds }, half))).toEqual([1, 2, 2, 6, 26])
})

test('each process costs its start', () => {
  const [first] = main
  expect(expectedMs({ ...QUICK, processes: 4 }, first!)).toBeCloseTo(2 * expectedMs({ ...QUICK, processes: 2 }, first!))
})

test('scenarios share the budget as they need it, and the last ends with it', () => {
  const ends = deadlines(QUICK, main)
  expect(ends).toEqual(ends.toSorted((a, b) => a - b))
  expect(ends.at(-1)).toBeCloseTo(QUICK.budgetMs)
})
