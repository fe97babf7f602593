import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { COMPARISON_VERSION, type Judged } from './judge.js'
import { continueTrend, drawTrend, readTrend } from './trend.js'

const directory = mkdtempSync(join(tmpdir(), 'sallyport-trend-'))
afterAll(() => rmSync(directory, { recursive: true }))

const file = join(directory, 'compare.json')
const write = (trend: Record<string, number[]>, comparisonVersion: number = COMPARISON_VERSION): void =>
  writeFileSync(file, JSON.stringify({ comparisonVersion, trend }))
const now = (figure: string, head: number): Judged => ({
  ...{ figure, slower: null, drift: null, outcome: 'fine', medians: { base: 1, head, unit: 'µs' } },
})

test('goes on with the last twenty values, and keeps those of figures that were not measured', () => {
  write({ a: Array.from({ length: 20 }, (_, at) => at), b: [7] })
  const { a, b, c } = continueTrend(readTrend(file), [now('a', 20), now('c', 5), now('d', NaN)])
  expect({ first: a![0], last: a!.at(-1), length: a!.length, b, c }).toEqual({
    ...{ first: 1, last: 20, length: 20, b: [7], c: [5] },
  })
})

test('begins without an earlier result, or with one of another version', () => {
  write({ a: [1] }, COMPARISON_VERSION - 1)
  for (const earlier of [null, join(directory, 'none'), file])
    expect(continueTrend(readTrend(earlier), [now('toString', 2)])).toEqual({ toString: [2] })
})

test('a file that cannot be read is told before anything is measured', () => {
  writeFileSync(file, '{')
  expect(() => readTrend(file)).toThrow(`--history: ${file} cannot be read`)
})

test('is drawn between its lowest and its highest value, and small differences are low', () => {
  expect(drawTrend([1000, 2000, 3000, 1500], 'µs')).toBe('▁▅█▃ 1.00 ms … 3.00 ms in 4 runs')
  expect(drawTrend([1000, 1010, 1002], 'µs')).toBe('▁▂▁ 1.00 ms … 1.01 ms in 3 runs')
  expect(drawTrend([1000], 'µs')).toBeUndefined()
})
