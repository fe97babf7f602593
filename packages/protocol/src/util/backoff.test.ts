import { expect, test } from 'vitest'
import { getBackoff } from './backoff.js'

test('a backoff grows from its minimum to its maximum, and jitter leaves out up to half of it', () => {
  const delays = (count: number, options: Parameters<typeof getBackoff>[1]): number[] =>
    Array.from({ length: count }, (_, attempt) => getBackoff(attempt, options))
  expect(delays(7, { min: 100, max: 5000 })).toEqual([100, 200, 400, 800, 1600, 3200, 5000])
  expect(delays(4, { min: 100, max: 300, factor: 1.5 })).toEqual([100, 150, 225, 300])
  expect(delays(2, { min: 100, max: 5000, random: 1 })).toEqual([50, 100])
  expect(getBackoff(1, { min: 100, max: 5000, random: 0.5 })).toBe(150)
  expect(getBackoff(Number.MAX_SAFE_INTEGER, { min: 1, max: 5000 })).toBe(5000)
  expect(getBackoff(Number.MAX_SAFE_INTEGER, { min: 0, max: 5000 })).toBe(0)
})
