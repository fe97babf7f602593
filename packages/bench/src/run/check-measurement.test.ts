import { expect, test } from 'vitest'
import { latency, type FigureKind } from '../scenario.js'
import { checkMeasurement } from './check-measurement.js'

const left: FigureKind = { ...latency('left', 'left'), unit: 'B' }
const figures = [latency('p50', 'p50'), left]

test('numbers are figures, and one that was not measured is left out', () => {
  expect(checkMeasurement({ figures }, { p50: 0, left: -5 })).toEqual({ p50: 0, left: -5 })
  expect(checkMeasurement({ figures }, { other: 'x' })).toEqual({ other: 'x' })
})

test.each([
  [undefined, 'the arm gave no figures'],
  [{ p50: NaN }, 'no measurement: p50 is NaN'],
  [{ p50: 1, left: Infinity }, 'no measurement: left is Infinity'],
  [{ p50: '12' }, 'no measurement: p50 is 12'],
  [{ p50: -1 }, 'no measurement: p50 is -1'],
])('%j is refused', (measured, words) => {
  expect(() => checkMeasurement({ figures }, measured)).toThrow(words)
})
