import { expect, test } from 'vitest'
import { linearScale, logScale } from './scale.js'

test('equal factors are equal lengths, and every value is within', () => {
  const { at, contains } = logScale([0.25, 1, 4])
  expect(at(1)).toBe(50)
  expect(at(4) - at(1)).toBeCloseTo(at(1) - at(0.25))
  expect(at(0.25)).toBeGreaterThan(0)
  expect([at(0.001), at(1000)]).toEqual([0, 100])
  expect([contains(4), contains(40)]).toEqual([true, false])
})

test('what differs by next to nothing does not fill the track', () => {
  const { at } = logScale([1, 1.001])
  expect(at(1.001) - at(1)).toBeLessThan(1)
})

test.each([
  [[0.9, 1.1]],
  [[0.061, 2.7]],
  [[0.001, 1e6]],
  [[1.0, 1.02]],
  [[40, 55]],
  [[3, 400]],
  [[0.3, 3.3]],
  [[1e-9, 1e9]],
])('ticks on %j are round, few, within, and have room', values => {
  const { ticks, at, contains } = logScale(values)
  expect(ticks.length).toBeGreaterThanOrEqual(2)
  expect(ticks.every(contains)).toBe(true)
  for (const [index, tick] of ticks.entries()) {
    expect(tick).toBe(Number(tick.toPrecision(3)))
    if (index > 0) expect(at(tick) - at(ticks[index - 1]!)).toBeGreaterThanOrEqual(11.9)
  }
})

test('what adds up starts at zero, or below it', () => {
  expect(linearScale([10, 40]).at(0)).toBe(0)
  const { at, ticks } = linearScale([-10, 40])
  expect(at(0)).toBeGreaterThan(0)
  expect(ticks).toContain(0)
})
