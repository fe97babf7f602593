import { describe, expect, test } from 'vitest'
import { allScenarios } from '../scenarios/index.js'
import { deadlines, expectedMs, FULL, getBudgetMs, getRounds, QUICK, totalMs } from './run.js'

const main = allScenarios().filter(scenario => scenario.main)

describe('a plan', () => {
  test('ends a quick run of the main scenarios within 90 seconds, with time to spare', () => {
    expect(QUICK.budgetMs).toBeLessThanOrEqual(87_000)
    expect(totalMs(QUICK, main)).toBeLessThan(QUICK.budgetMs / 1.04)
    expect(getBudgetMs(QUICK, main)).toBe(QUICK.budgetMs)
  })

  test('extends the budget for scenarios that need more', () => {
    for (const plan of [QUICK, FULL]) {
      expect(getBudgetMs(plan, allScenarios())).toBeGreaterThan(totalMs(plan, allScenarios()) * 1.03)
    }
  })

  test('rounds a part of the rounds to an even number above 0', () => {
    const half = { ...main[0]!, roundsShare: 0.5 }
    expect([1, 2, 3, 12, 50].map(rounds => getRounds({ ...QUICK, rounds }, half))).toEqual([1, 2, 2, 6, 26])
  })

  test('counts the start of each process', () => {
    const [first] = main
    const expected = 2 * expectedMs({ ...QUICK, processes: 2 }, first!)
    expect(expectedMs({ ...QUICK, processes: 4 }, first!)).toBeCloseTo(expected)
  })

  test('shares the budget between scenarios, and ends the last one with it', () => {
    const ends = deadlines(QUICK, main)
    expect(ends).toEqual(ends.toSorted((a, b) => a - b))
    expect(ends.at(-1)).toBeCloseTo(QUICK.budgetMs)
  })
})
