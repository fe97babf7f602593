// The text of a comparison, of figures that are data, so that the check is judged and not this machine.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pc from 'picocolors'
import { afterAll, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { readMachine } from '../report/build.js'
import { type Comparison, COMPARISON_VERSION, conclude, getOutcome, type HistoryEntry, type Judged } from './judge.js'
import { describeHistory, readHistory, toText, withEntry } from './text.js'

const rule = { tolerance: 1.05, figures: 2 }

const judged = (figure: string, factor: number): Judged => {
  const slower = { factor, bounds: [factor * 0.99, factor * 1.01] } as const
  const change = { factor, bounds: [...slower.bounds] as [number, number] }
  return { figure, slower: change, drift: null, outcome: getOutcome(change, null, rule.tolerance) }
}

function draw(first: Judged[], repeat: Judged[], columns = 100): string {
  const comparison: Comparison = {
    comparisonVersion: COMPARISON_VERSION,
    tool: { name: '@sallyport/bench', version: '0.1.0' },
    startedAt: '2026-01-02T03:04:05.678Z',
    seconds: 100,
    machine: readMachine(),
    base: { name: 'main', kind: 'ref', commit: '0123456789' },
    commit: 'abcdef0123',
    program: ['node', 'my-bench.mjs'],
    runs: 15,
    history: [],
    rule,
    notes: [],
    verdict: conclude(first, repeat),
    first,
    repeat,
  }
  return toText(comparison, { columns, colors: pc.createColors(false) })
}

test('names a figure that is slower twice a regression, and confirms it', () => {
  const slower = judged('parse json', 1.5)
  const text = draw([slower, judged('parse msgpack', 1)], [slower])
  expect(text).toContain('Regression: 1 of 2 figures is slower than main (0123456), by up to 50 %.')
  expect(text).toMatch(/parse json\n +\+50 % \(.*\) slower, first \+50 %/)
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(100)
})

test('says that a figure is slower by more than ten times, without a percentage', () => {
  const slower = judged('parse json', 236)
  expect(draw([slower], [slower])).toContain('1 of 1 figure is slower than main (0123456), by more than 10×.')
})

test('calls a figure that is slower only once fine, a faster one faster, and says what would have been seen', () => {
  const text = draw([judged('parse json', 1.5), judged('parse msgpack', 0.5)], [judged('parse json', 1)])
  expect(text).toContain('No regression: 2 figures would have shown a slow-down of 6.1 % against main (0123456).')
  expect(text).toMatch(/parse json\n +\+0 % .* first \+50 %/)
  expect(text).toMatch(/parse msgpack\n +−50 % .* faster/)
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
  expect(text.replaceAll(/\s+/g, ' ')).toContain('… > 10×) unclear: would have seen > 10×')
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(46)
})

const directory = mkdtempSync(join(tmpdir(), 'sallyport-history-'))
afterAll(() => rmSync(directory, { recursive: true }))

const entry = (commit: string, verdict: string, factor: number | null, outcome = 'fine'): HistoryEntry => ({
  ...{ commit, verdict, startedAt: '2026-01-02T03:04:05.678Z', figures: { parse: { outcome, factor } } },
})

function write(value: unknown): string {
  const path = join(directory, 'compare.json')
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value))
  return path
}

test('is empty without a file, says so of a missing one, and is read from an earlier comparison', () => {
  expect(readHistory(null)).toEqual({ history: [], notes: [] })
  const file = join(directory, 'none.json')
  expect(readHistory(file)).toEqual({ history: [], notes: [`There is no history yet: ${file} does not exist.`] })
  const history = [entry('abc', 'fine', 1.01)]
  expect(readHistory(write({ history }))).toEqual({ history, notes: [] })
})

test('ignores a file of something else, with a note', () =>
  rows([
    '{',
    'null',
    '[]',
    { history: {} },
    { history: [null] },
    { history: [{ commit: 7 }] },
    { history: [{ ...entry('a', 'fine', 1), figures: { parse: null } }] },
    { history: [{ ...entry('a', 'fine', 1), figures: { parse: { outcome: 'fine', factor: 'x' } } }] },
  ])(value => {
    const { history, notes } = readHistory(write(value))
    expect(history).toEqual([])
    expect(notes).toEqual([expect.stringContaining('was ignored: ')])
  }))

const settled = (figure: string, outcome: Judged['outcome'], factor: number): Judged => ({
  ...{ figure, outcome, drift: null, slower: { factor, bounds: [factor, factor] } },
})

test('has each commit once, the latest first, as its figures were judged last', () => {
  const result = { commit: 'b', startedAt: 'now', verdict: 'fine', first: [settled('parse', 'slower', 1.2)] }
  const entries = withEntry({ ...result, repeat: [settled('parse', 'fine', 1.01)] } as never, [
    entry('b', 'regression', 1.3),
    entry('a', 'fine', 1),
  ])
  expect(entries.map(({ commit, figures }) => [commit, figures])).toEqual([
    ['b', { parse: { outcome: 'fine', factor: 1.01 } }],
    ['a', { parse: { outcome: 'fine', factor: 1 } }],
  ])
  const many = Array.from({ length: 30 }, (_, at) => entry(String(at), 'fine', 1))
  expect(withEntry({ ...result, repeat: [] } as never, many)).toHaveLength(20)
})

test('says nothing of a single commit', () => {
  expect(describeHistory([entry('a', 'fine', 1)], 40)).toEqual([])
  expect(describeHistory([], 40)).toEqual([])
})

test('draws what the verdict is based on, and not a figure that was unclear', () => {
  const of = (commit: string, verdict: string, figures: [outcome: string, factor: number | null][]): HistoryEntry => ({
    ...entry(commit, verdict, 1),
    figures: Object.fromEntries(figures.map(([outcome, factor], at) => [`${at}`, { outcome, factor }])),
  })
  const slower: [string, number] = ['slower', 1.143]
  const lines = describeHistory(
    [
      of('a', 'regression', [['blind', 1.182], slower, ['fine', 1.16]]),
      of('b', 'regression', [
        ['failed', null],
        ['unsteady', 1.3],
        ['fine', 1.01],
      ]),
      of('c', 'fine', [
        ['blind', 1.3],
        ['fine', 1.02],
        ['faster', 0.8],
      ]),
      of('d', 'too noisy', [
        ['blind', 1.3],
        ['unsteady', 1.4],
      ]),
    ],
    60,
  )
  expect(lines.slice(1, 5).map(line => /[^▇]*$/.exec(line)![0].trim())).toEqual(['+14.3 %', 'head fails', '+2 %', '–'])
})

test('draws the greatest slow-down of each commit, and names what changed', () => {
  const lines = describeHistory(
    [
      entry('c0ffee1234', 'regression', 1.2, 'slower'),
      entry('b'.repeat(40), 'fine', 0.99),
      entry('a', 'too noisy', null),
    ],
    40,
  )
  expect(lines).toEqual([
    'Slowest figure of each commit:',
    expect.stringMatching(/^c0ffee1 regression ▇{12,} \+20 %$/),
    'bbbbbbb fine       ▇ −1 %',
    'a too noisy        ▇ –',
    'Since bbbbbbb: parse: fine → slower.',
  ])
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(40)
  const same = describeHistory([entry('b', 'fine', 1), entry('a', 'fine', 1)], 40)
  expect(same.at(-1)).toBe('Nothing changed since a.')
})
