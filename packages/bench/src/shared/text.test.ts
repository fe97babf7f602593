import { expect, test } from 'vitest'
import {
  duration,
  formatBytes,
  formatEffect,
  formatFigure,
  formatInterval,
  formatRange,
  formatRatio,
  keepUnits,
  oneLine,
  plain,
  shortNumber,
  threeDigits,
  h,
  readTable,
} from './text.js'

test('three digits, wherever the point is', () => {
  expect([0, 0.0612, 2.9, 9.99, 49.06, 99.96, 534.4].map(threeDigits)).toEqual([
    '0.00',
    '0.061',
    '2.90',
    '9.99',
    '49.1',
    '100',
    '534',
  ])
})

test('numbers get a letter from a thousand on', () => {
  expect([999, 999.7, 534_000, 1_050_000, 3e12].map(shortNumber)).toEqual([
    '999',
    '1.00 k',
    '534 k',
    '1.05 M',
    '3000 G',
  ])
})

test('a range has two digits, and one unit if both ends have the same', () => {
  expect(formatRange([4.04, 18.23], 'µs')).toBe('4.0–18 µs')
  expect(formatRange([433, 2063], 'µs')).toBe('430 µs–2.1 ms')
  expect(formatRange([30.81, 104.9], 'µs')).toBe('31–100 µs')
  expect(formatRange([380_000, 718_000], '/s')).toBe('380–720 k/s')
  expect(formatRange([25.04, 25.2], 'µs')).toBe('25 µs')
})

test('durations change their unit', () => {
  expect([49.1, 1500, 2_000_000, -0.5].map(duration)).toEqual(['49.1 µs', '1.50 ms', '2.00 s', '−0.500 µs'])
})

test('figures carry their unit, ratios a ×, sizes the powers of 1024', () => {
  expect(formatFigure({ median: 534_000, unit: '/s' })).toBe('534 k/s')
  expect(formatFigure({ median: 1.5 * 2 ** 20, unit: 'B' })).toBe('1.50 MiB')
  expect(formatFigure({ median: 12, unit: '/s' })).toBe('12.0 /s')
  expect([0.061, 1, 12.34, 140].map(formatRatio)).toEqual(['0.061×', '1.00×', '12.3×', '140×'])
  expect([55, 6.9 * 1024, 1.5 * 1024 ** 2].map(formatBytes)).toEqual(['55 B', '6.90 KiB', '1.50 MiB'])
})

test('intervals and effects', () => {
  expect(formatInterval([1.204, 12.7])).toBe('1.20–12.7×')
  expect([1, 1.004, 1.104, 1.5, 235].map(formatEffect)).toEqual(['0 %', '0.4 %', '10.4 %', '50 %', '> 10×'])
})

test('third-party text cannot control a terminal', () => {
  expect(plain('\u001B[31mred\u001B[0m \u0007bell\u202E turned\nnext\tcolumn')).toBe('red bell turned\nnext\tcolumn')
  expect(oneLine('first\n  second\r\nthird')).toBe('first second third')
})

test('values in a template of HTML are escaped, in text and in attributes, and nothing is written for nothing', () => {
  const title = '"><script>alert(1)</script>'
  expect(h`<p title="${title}">${title}${null}${false}${undefined}${0}</p>`.text).toBe(
    '<p title="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;">&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;0</p>',
  )
  expect(h`<p>${[h`<b>${'a & b'}</b>`, ' and ', 'c']}</p>`.text).toBe('<p><b>a &amp; b</b> and c</p>')
})

test('a table of texts is read line by line', () => {
  expect(readTable(`\n  a | b c\n  d |  e\n`)).toEqual([
    ['a', 'b c'],
    ['d', 'e'],
  ])
})

test('a number and its unit stay on one line', () => {
  expect(keepUnits('at most 2.1 µs to one of 64 calls, 26.8 MiB, 50 % (1.2 ms)')).toBe(
    'at most 2.1\u00a0µs to one of 64 calls, 26.8\u00a0MiB, 50\u00a0% (1.2\u00a0ms)',
  )
})
