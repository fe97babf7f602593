import { expect, test } from 'vitest'
import { pairedRatio } from './ratio.js'

test('a machine that slows down between rounds leaves the ratio alone', () => {
  expect(pairedRatio([10, 40, 100], [5, 20, 50])).toBeCloseTo(2)
})

test('two middle rounds are averaged as factors', () => {
  expect(pairedRatio([1, 4], [2, 2])).toBeCloseTo(1)
})

test('rounds that only one of the two has are left out', () => {
  expect(pairedRatio([10, 20, 30], [10])).toBeCloseTo(1)
  expect(pairedRatio([10, 20], [])).toBeNull()
})

test('a reference of zero gives no ratio', () => {
  expect(pairedRatio([10], [0])).toBeNull()
})
