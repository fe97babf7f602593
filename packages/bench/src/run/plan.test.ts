import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { getScenario } from '../../test/sample-report.js'
import { allScenarios } from '../scenarios/index.js'
import { deadlines, expectedMs, FULL, getBudgetMs, getRounds, type Plan, QUICK, totalMs, WarmUp } from './run.js'

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

describe('a warm-up', () => {
  const plan: Plan = { mode: 'quick', processes: 1, warmUpMs: 60, rounds: 2, slotMs: 5, budgetMs: 60_000 }
  const noise = getScenario('noise')
  const inCase = { ...noise.cases[0]!, share: 1 }
  const scenario = { ...noise, cases: [inCase], warmUpShare: 1 }

  let now = 0
  beforeEach(() => void vi.spyOn(performance, 'now').mockImplementation(() => now))
  afterEach(() => vi.restoreAllMocks())

  /** Returns how many measurements it makes, each of so many milliseconds. */
  async function countSlots(ms: number, getValue: (slot: number) => number, firstMs = ms): Promise<number> {
    const warmUp = new WarmUp(plan, scenario, inCase)
    let slots = 0
    while (!warmUp.isOver) {
      await warmUp.measure(async () => {
        now += slots === 0 ? firstMs : ms
        return { p50: getValue(slots++) }
      })
    }
    return slots
  }

  test('ends when three in a row agree, but not before half of its time', async () => {
    expect(await countSlots(5, () => 1)).toBe(6)
  })

  test('goes on until its time is up when they do not agree', async () => {
    expect(await countSlots(5, slot => 2 ** slot)).toBe(12)
  })

  test('does not count the time for which the first measurement waits for its process', async () => {
    expect(await countSlots(5, slot => 2 ** slot, 300)).toBe(12)
  })

  test('is left out when a scenario has none', () => {
    expect(new WarmUp(plan, { ...scenario, warmUpShare: 0 }, inCase).isOver).toBe(true)
  })
})
