// The text of a comparison, of figures that are data, so that the check is judged and not this machine.
import pc from 'picocolors'
import { expect, test } from 'vitest'
import { readMachine } from '../report/build.js'
import { toText } from './compare.js'
import { COMPARISON_VERSION, conclude, type Comparison, getOutcome, type Judged } from './judge.js'

const rule = { tolerance: 1.05, figures: 2 }
const kind = { id: 'each', title: 'each message', unit: 'µs', better: 'lower' } as const

const judged = (figure: string, factor: number): Judged => {
  const slower = { factor, bounds: [factor * 0.99, factor * 1.01] } as const
  const change = { factor, bounds: [...slower.bounds] as [number, number] }
  return { figure, kind, slower: change, drift: null, outcome: getOutcome(change, null, rule) }
}

function draw(first: Judged[], repeat: Judged[]): string {
  const comparison: Comparison = {
    comparisonVersion: COMPARISON_VERSION,
    tool: { name: '@sallyport/bench', version: '0.1.0' },
    startedAt: '2026-01-02T03:04:05.678Z',
    seconds: 100,
    machine: readMachine(),
    base: { name: 'main', kind: 'ref', commit: '0123456789' },
    plan: { processes: 12, rounds: 6, slotMs: 15 },
    rule,
    notes: [],
    verdict: conclude(first, repeat),
    first,
    repeat,
  }
  return toText(comparison, { columns: 100, colors: pc.createColors(false) })
}

test('names a figure that is slower twice a regression, and confirms it', () => {
  const slower = judged('codec/usual/json/each', 1.5)
  const text = draw([slower, judged('codec/usual/msgpack/each', 1)], [slower])
  expect(text).toContain('Regression: 1 of 2 figures is slower than main (0123456) by more than 5 %, in two runs.')
  expect(text).toMatch(/json\/each +\+50 % .* confirmed: \+50 %/)
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(100)
})

test('calls a figure that is slower only once fine, and a faster one faster', () => {
  const text = draw(
    [judged('codec/usual/json/each', 1.5), judged('codec/usual/msgpack/each', 0.5)],
    [judged('codec/usual/json/each', 1)],
  )
  expect(text).toContain('No regression')
  expect(text).toMatch(/json\/each +\+50 % .* repeat: /)
  expect(text).toMatch(/msgpack\/each +−50 % .* faster/)
})
