import { describe, expect, test } from 'vitest'
import { allScenarios } from '../scenarios/index.js'
import { deadlines, expectedMs, FULL, getBudgetMs, getRounds, QUICK, totalMs } from './run.js'

const main = allScenarios().filter(({ from }) => from === 'quick')

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

  test('rounds a part of the rounds to an even number above 0, but one of fresh processes', () => {
    const half = { ...main[0]!, roundsShare: 0.5 }
    expect(getRounds({ ...QUICK, rounds: 2 }, { ...half, spawns: true })).toBe(1)
    expect([1, 2, 3, 12, 50].map(rounds => getRounds({ ...QUICK, rounds }, half))).toEqual([1, 2, 2, 6, 26])
  })

  test('counts the start of each process', () => {
    const [first] = main
    const expected = 2 * expectedMs({ ...QUICK, processes: 2 }, first!)
    expect(expectedMs({ ...QUICK, processes: 4 }, first!)).toBeCloseTo(expected)
  })

  test('gives what is left of the budget to the scenarios whose rounds go on until they are precise', () => {
    const [formats, sandboxes] = deadlines(QUICK, main) as [number, number]
    expect(formats).toBeGreaterThan(60_000)
    expect(sandboxes - formats).toBeCloseTo(expectedMs(QUICK, main[1]!))
    expect(sandboxes).toBeCloseTo(QUICK.budgetMs)
  })
})
