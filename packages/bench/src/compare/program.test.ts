import { expect, test } from 'vitest'
import type { Sides } from './judge.js'
import { toExport } from './program.js'

const side = (figure: string, better: Sides['better'], head: number[][]): Sides => ({
  ...{ figure, better, unit: better === 'lower' ? 'µs' : 'ops/s', head, base: [[1]], again: [[1]] },
})

test('the medians of the head are exported by their direction, as github-action-benchmark reads them', () => {
  const files = toExport([side('a', 'lower', [[1], [3], [2]]), side('b', 'lower', [[]])])
  expect(Object.keys(files)).toEqual(['customSmallerIsBetter.json'])
  expect(JSON.parse(files['customSmallerIsBetter.json']!)).toEqual([{ name: 'a', unit: 'µs', value: 2 }])
  expect(Object.keys(toExport([side('c', 'higher', [[5]])]))).toEqual(['customBiggerIsBetter.json'])
})
