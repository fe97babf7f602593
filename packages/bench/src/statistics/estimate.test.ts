import { expect, test } from 'vitest'
import { estimateRatio } from './estimate.js'

const getRatio = (...processes: Parameters<typeof estimateRatio>): number | undefined =>
  estimateRatio(...processes)?.ratio

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
  for (const { ratio, interval } of [quiet, noisy]) {
    expect(interval[0]).toBeLessThanOrEqual(ratio)
    expect(interval[1]).toBeGreaterThanOrEqual(ratio)
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
