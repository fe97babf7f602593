import { describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { getSpread, isStationary, median, quantile } from './median.js'

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
