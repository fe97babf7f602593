import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { formatInterval, formatRange, formatRatio, keepUnits, h, readTable, formatRound, listWords } from './text.js'

test('a range has two digits, and one unit if both ends have the same', () => {
  expect(formatRange([4.04, 18.23], 'µs')).toBe('4.0–18 µs')
  expect(formatRange([433, 2063], 'µs')).toBe('430 µs–2.1 ms')
  expect(formatRange([30.81, 104.9], 'µs')).toBe('31–100 µs')
  expect(formatRange([380_000, 718_000], '/s')).toBe('380–720 k/s')
  expect(formatRange([25.04, 25.2], 'µs')).toBe('25 µs')
})

test('ratios and their intervals carry a ×', () => {
  expect([0.061, 1, 12.34, 140].map(formatRatio)).toEqual(['0.061×', '1.00×', '12.3×', '140×'])
  expect(formatInterval([1.204, 12.7])).toBe('1.20–12.7×')
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

test('a sentence has two digits, whole thousands and an "and"', () =>
  rows([
    ['13.1 µs', '13 µs'],
    ['76.3 k/s', '76,000/s'],
    ['1.28 M/s', '1,300,000/s'],
    ['below 47.6 µs', 'below 48 µs'],
    ['13–67 k/s', '13–67 k/s'],
  ])((text, rounded) => {
    expect(formatRound(text)).toBe(rounded)
    expect(listWords(['a', text, 'c'])).toBe(`a, ${text} and c`)
  }))
