import { expect, test } from 'vitest'
import { budgetOf, deadlines, expectedMs, FULL, QUICK, roundsOf } from './plan.js'
import { allScenarios, linkScenarios, namedScenarios } from './scenarios/index.js'

test('each mode expects to end within its budget, with time to open and close its arms', () => {
  for (const plan of [QUICK, FULL]) {
    for (const scenarios of [allScenarios(), ...Object.values(namedScenarios())]) {
      const expected = scenarios.reduce((sum, scenario) => sum + expectedMs(plan, scenario), 0)
      expect(expected).toBeLessThan(budgetOf(plan, scenarios) * 0.95)
    }
  }
})

test('a quick run of the links takes about three minutes', () => {
  expect(budgetOf(QUICK, linkScenarios())).toBeLessThan(210_000)
  expect(budgetOf(QUICK, allScenarios())).toBe(QUICK.budgetMs)
})

test('a quick run of the sandboxes, or of the cipher, ends within a minute', () => {
  const { sandbox, cipher } = namedScenarios()
  expect(budgetOf(QUICK, sandbox)).toBe(QUICK.budgetMs)
  expect(budgetOf(QUICK, cipher)).toBe(QUICK.budgetMs)
})

test('a part of the rounds is even, and never none', () => {
  const [quiet] = linkScenarios()
  expect([1, 2, 3, 12, 50].map(rounds => roundsOf({ ...QUICK, rounds }, quiet!))).toEqual([1, 2, 2, 6, 26])
})

test('scenarios share the budget as they need it, and the last ends with it', () => {
  const ends = deadlines(QUICK, allScenarios())
  expect(ends).toEqual(ends.toSorted((a, b) => a - b))
  expect(ends.at(-1)).toBeCloseTo(QUICK.budgetMs)
})
