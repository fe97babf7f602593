import { expect, test } from 'vitest'
import { deadlines, expectedMs, FULL, QUICK } from './plan.js'
import { allScenarios } from './scenarios/index.js'

test('each mode expects to end within its budget, with time to open and close its arms', () => {
  for (const plan of [QUICK, FULL]) {
    const expected = allScenarios().reduce((sum, scenario) => sum + expectedMs(plan, scenario), 0)
    expect(expected).toBeLessThan(plan.budgetMs * 0.9)
  }
})

test('scenarios share the budget as they need it, and the last ends with it', () => {
  const ends = deadlines(QUICK, allScenarios())
  expect(ends).toEqual(ends.toSorted((a, b) => a - b))
  expect(ends.at(-1)).toBeCloseTo(QUICK.budgetMs)
})
