import { describe, expect, test } from 'vitest'
import { allScenarios } from '../scenarios/index.js'
import { expectedMs, getBudgetMs, getRounds, QUICK, totalMs } from './run.js'

const main = allScenarios().filter(({ from }) => from === 'quick')

describe('a plan', () => {
  test('ends a quick run of the main scenarios within 90 seconds, with time to spare', () => {
    expect(QUICK.budgetMs).toBeLessThanOrEqual(88_000)
    expect(totalMs(QUICK, main)).toBeLessThan(QUICK.budgetMs)
    expect(getBudgetMs(QUICK, main)).toBe(QUICK.budgetMs)
  })

  test('extends the budget for scenarios that need more', () => {
    expect(getBudgetMs({ ...QUICK, budgetMs: 1 }, main)).toBe(totalMs(QUICK, main))
  })

  test('rounds a part of the rounds to a number above 0', () => {
    const half = { ...main[0]!, roundsShare: 0.25 }
    expect([1, 3, 12, 50].map(rounds => getRounds({ ...QUICK, rounds }, half))).toEqual([1, 1, 3, 13])
  })

  test('counts the start of each process', () => {
    const [first] = main
    const expected = 2 * expectedMs({ ...QUICK, processes: 2 }, first!)
    expect(expectedMs({ ...QUICK, processes: 4 }, first!)).toBeCloseTo(expected)
  })

  test('leaves most of its time to the formats', () => {
    const [formats, sandboxes] = main.map(scenario => expectedMs(QUICK, scenario)) as [number, number]
    expect((QUICK.budgetMs * formats) / (formats + sandboxes)).toBeGreaterThan(50_000)
  })
})
