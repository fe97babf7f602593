// The text of a comparison, of figures that are data, so that the check is judged and not this machine.
import pc from 'picocolors'
import { expect, test } from 'vitest'
import { readMachine } from '#measure/machine'
import type { Change } from '#measure/statistics'
import { type Comparison, COMPARISON_VERSION, conclude, getOutcome, type Judged } from './judge.js'
import { toText } from './text.js'

const rule = { tolerance: 1.05, figures: 2 }

const judged = (figure: string, factor: number): Judged => {
  const slower = { factor, bounds: [factor * 0.99, factor * 1.01] } as const
  const change = { factor, bounds: [...slower.bounds] as [number, number] }
  const medians = { unit: 'µs', base: 2000, head: 2000 * factor }
  const drift: Change = { factor: 1.01, bounds: [0.99, 1.02] }
  return { figure, slower: change, drift, medians, outcome: getOutcome(change, drift, rule.tolerance) }
}

function draw(first: Judged[], repeat: Judged[], columns = 100): string {
  const comparison: Comparison = {
    comparisonVersion: COMPARISON_VERSION,
    tool: { name: '@sallyport/compare', version: '0.1.0' },
    startedAt: '2026-01-02T03:04:05.678Z',
    seconds: 100,
    machine: readMachine(),
    base: { name: 'main', kind: 'ref', commit: '0123456789' },
    program: ['node', 'my-bench.mjs'],
    runs: 15,
    rule,
    verdict: conclude(first, repeat),
    first,
    repeat,
  }
  const { verdict, details } = toText(comparison, { columns, colors: pc.createColors(false) })
  return `${details}\n${verdict}`
}

test('names a figure that is slower twice a regression, and confirms it', () => {
  const slower = judged('parse json', 1.5)
  const text = draw([slower, judged('parse msgpack', 1)], [slower])
  expect(text).toContain('Regression: 1 of 2 figures is worse than main (0123456), by up to 50 %.')
  expect(text).toMatch(
    /parse json\n +slower: \+50 % \(.*\) of 2\.00 ms, first \+50 %\n +base against base: \+1 % \(−1 % … \+2 %\)\n/,
  )
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(100)
})

test('says that a figure is slower by more than ten times, without a percentage', () => {
  const slower = judged('parse json', 236)
  expect(draw([slower], [slower])).toContain('1 of 1 figure is worse than main (0123456), by more than 10×.')
})

test('says which part of the runs would have shown a slow-down, and what the others say', () => {
  const { slower, drift } = judged('parse json', 1.2)
  const others = [{ part: 'all runs', slower, drift, outcome: 'blind' } as const]
  const text = draw([{ ...judged('parse json', 1), part: 'fastest quarter', others }], [])
  expect(text).toContain('1 figure would have shown a slow-down of each run by 6.1 % against')
  expect(text).toMatch(
    /fine: fastest quarter \+0 % \(.*\), would have seen 6.1 %\n +all runs \+20 % \(.*\) of 2\.00 ms\n/,
  )
})

test('calls a size larger, not slower', () => {
  const size = judged('heap', 1.5)
  size.medians = { unit: 'B', base: 2 ** 20, head: 2 ** 21 }
  expect(draw([size], [size])).toMatch(/heap\n +larger: \+50 % .* of 1\.00 MiB/)
})

test('calls a figure that is slower only once fine, a faster one faster, and says what would have been seen', () => {
  const text = draw([judged('parse json', 1.5), judged('parse msgpack', 0.5)], [judged('parse json', 1)])
  expect(text).toContain('No regression: 2 figures would have shown a slow-down of 6.1 % against main (0123456).')
  expect(text).toMatch(/parse json\n +fine: \+0 % .*, would have seen 6\.1 %, first \+50 %/)
  expect(text).toMatch(/parse msgpack\n +faster: −50 % .* of 2\.00 ms/)
})

test('shows what moved, and counts the rest', () => {
  const [slower, faster] = [judged('a/1/b/each', 1.3), judged('a/2/b/each', 0.7)]
  const same = Array.from({ length: 62 }, (_, at) => judged(`same/${at}/ring-json/each`, 1))
  const text = draw([...same, faster, slower], [slower], 80)
  expect(text.match(/^ a\/\d/gm)).toEqual([' a/1', ' a/2'])
  expect(text).toContain('62 more figures: 62 fine (compare.json has them)')
  expect(text.split('\n').length).toBeLessThan(24)
})

test('fits a phone, and shortens effects beyond ten times', () => {
  const wide = { ...judged('calls a second with 64 in flight', 1.2), outcome: 'blind' as const }
  wide.slower!.bounds = [0.005, 40]
  const text = draw([wide], [], 46)
  expect(text.replaceAll(/\s+/g, ' ')).toContain('… > 10×) of 2.00 ms, would have seen > 10×')
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(46)
})
