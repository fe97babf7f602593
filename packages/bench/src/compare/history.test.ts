import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { describeHistory, readHistory, withEntry } from './history.js'
import type { HistoryEntry, Judged } from './judge.js'

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

const judged = (figure: string, outcome: Judged['outcome'], factor: number): Judged => ({
  ...{ figure, outcome, drift: null, slower: { factor, bounds: [factor, factor] } },
})

test('has each commit once, the latest first, as its figures were judged last', () => {
  const result = { commit: 'b', startedAt: 'now', verdict: 'fine', first: [judged('parse', 'slower', 1.2)] }
  const entries = withEntry({ ...result, repeat: [judged('parse', 'fine', 1.01)] } as never, [
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
