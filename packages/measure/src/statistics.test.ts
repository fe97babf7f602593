import { describe, expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'
import { estimateRatio, getSpread, isStationary, median, quantile } from './statistics.js'

const getRatio = (...processes: Parameters<typeof estimateRatio>): number | undefined =>
  estimateRatio(...processes)?.value

test('the ratio does not change when the machine slows down between rounds', () => {
  expect(getRatio([[10, 40, 100]], [[5, 20, 50]])).toBeCloseTo(2)
})

test('two middle rounds are averaged as factors', () => {
  expect(getRatio([[1, 4]], [[2, 2]])).toBeCloseTo(1)
})

test('each process counts once, however many rounds it has', () => {
  expect(getRatio([[2], [3, 3, 3, 3], [1]], [[1], [1, 1, 1, 1], [1]])).toBeCloseTo(2)
})

test('rounds that only one side has are left out', () => {
  expect(getRatio([[10, 20, 30]], [[10]])).toBeCloseTo(1)
  expect(estimateRatio([[10, 20]], [[]])).toBeNull()
  expect(estimateRatio([[10]], [])).toBeNull()
})

test('there is no ratio to a reference of 0', () => {
  expect(estimateRatio([[10]], [[0]])).toBeNull()
})

test('the interval contains the ratio, is reproducible, and grows with the noise', () => {
  const ones = [1, 1, 1, 1, 1, 1]
  const quiet = estimateRatio([[1.01, 0.99, 1, 1.02, 0.98, 1]], [ones])!
  const noisy = estimateRatio([[1.3, 0.8, 1, 1.2, 0.7, 1]], [ones])!
  expect(estimateRatio([[1.3, 0.8, 1, 1.2, 0.7, 1]], [ones])).toEqual(noisy)
  for (const { value, interval } of [quiet, noisy]) {
    expect(interval[0]).toBeLessThanOrEqual(value)
    expect(interval[1]).toBeGreaterThanOrEqual(value)
  }
  expect(noisy.interval[1]).toBeGreaterThan(quiet.interval[1])
})

test('differences between processes are not hidden by many rounds within them', () => {
  const rounds = (value: number): number[] => Array.from({ length: 30 }, () => value)
  const { interval } = estimateRatio([rounds(0.9), rounds(1), rounds(1.1)], [rounds(1), rounds(1), rounds(1)])!
  expect(interval).toEqual([expect.closeTo(0.9), expect.closeTo(1.1)])
})

test('more confidence needs wider bounds', () => {
  const values = [1.3, 0.8, 1, 1.2, 0.7, 1]
  const ones = values.map(() => 1)
  const [low, high] = estimateRatio([values], [ones], 0.95)!.interval
  const [lower, higher] = estimateRatio([values], [ones], 0.999)!.interval
  expect(lower).toBeLessThan(low)
  expect(higher).toBeGreaterThan(high)
})

test('at least 16 of 20 intervals contain the true ratio when each process has a state of its own', () => {
  let seed = 7
  const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647
  const noise = (size: number): number => Math.exp(size * (random() + random() + random() - 1.5))
  let held = 0
  for (let trial = 0; trial < 100; trial++) {
    const figure = Array.from({ length: 5 }, () => {
      const state = noise(0.1)
      return Array.from({ length: 8 }, () => 2 * state * noise(0.05))
    })
    const [low, high] = estimateRatio(
      figure,
      figure.map(rounds => rounds.map(() => 1)),
    )!.interval
    if (low <= 2 && high >= 2) held++
  }
  // Percentiles of few processes are a little too narrow: docs/internals/benchmark.md says so.
  expect(held).toBeGreaterThanOrEqual(80)
})

describe('median', () => {
  test('is the middle value, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([10, 1, 2, 3])).toBe(2.5)
  })

  test('sorts by number, and leaves its input as it was', () => {
    const values = [100, 9, 20]
    expect(median(values)).toBe(20)
    expect(values).toEqual([100, 9, 20])
  })

  test('is NaN when there are no values', () => {
    expect(median([])).toBeNaN()
  })
})

test('quantile interpolates between neighbours', () => {
  expect(quantile([0, 10, 20, 30], 0.5)).toBe(15)
  expect(quantile([0, 10, 20, 30], 0.99)).toBeCloseTo(29.7)
  expect(quantile([7], 0.99)).toBe(7)
})

test('three values at the end that differ little are stationary', () =>
  rows([
    [[9, 1, 1, 1.2], true],
    [[1, 1, 1.3], false],
    [[1, 1], false],
  ])((values, expected) => expect(isStationary(values)).toBe(expected)))

test('the spread holds eight of ten rounds, over all processes', () => {
  expect(getSpread([[0, 10, 20, 30, 40], [50, 60, 70, 80, 90, 100]])).toEqual([10, 90]) // prettier-ignore
})
