// What a comparison found, as an object: the terminal, Markdown and compare.json are three views of it.
import { count, formatEffect, oneLine, short } from '../report/format.js'
import type { Machine, Report } from '../report/report.js'
import type { Cell, Table } from '../report/table.js'
import { median } from '../statistics/median.js'
import { conclude, regressionsOf, seenFrom, type Change, type Judged, type Rule, type Verdict } from './judge.js'

/** Grows with every change that a reader of the old form would stumble on. */
export const COMPARISON_VERSION = 1

export interface Comparison {
  comparisonVersion: typeof COMPARISON_VERSION
  tool: Report['tool']
  /** ISO 8601, UTC. */
  startedAt: string
  seconds: number
  machine: Machine
  /** As it was given, with its commit where it is a git ref. */
  base: { name: string; kind: 'ref' | 'folder' | 'file'; commit?: string }
  plan: Report['plan']
  rule: Rule
  verdict: Verdict
  first: Judged[]
  /** Of what looked slower at first. */
  repeat: Judged[]
  /** What was measured against itself differed, in a comparison with a file. */
  strayed?: boolean
  /** What a reader has to know, such as that both sides are the same code. */
  notes: string[]
}

export type Facts = Omit<Comparison, 'comparisonVersion' | 'verdict'>

export const comparisonOf = (facts: Facts): Comparison => ({
  comparisonVersion: COMPARISON_VERSION,
  verdict: facts.strayed ? 'too noisy' : conclude(facts.first, facts.repeat),
  ...facts,
})

export const toComparisonJson = (comparison: Comparison): string =>
  `${JSON.stringify(comparison, (_, value: unknown) => (typeof value === 'number' ? short(value) : value), 2)}\n`

/** The one line that a reader needs first. */
export function verdictLine(comparison: Comparison): string {
  const { first, repeat, rule, verdict } = comparison
  if (comparison.strayed) return 'Too noisy to judge: what was measured against itself differed.'
  const than = `slower than ${nameOf(comparison)} by more than ${formatEffect(rule.tolerance)}`
  const failed = [...first, ...repeat].filter(({ outcome }) => outcome === 'failed').length
  if (failed > 0) return `Regression: ${count(failed, 'figure')} can’t be measured any more, because the head fails.`
  if (verdict === 'regression') {
    const found = regressionsOf(first, repeat)
    return `Regression: ${found.length} of ${count(first.length, 'figure')} ${found.length === 1 ? 'is' : 'are'} ${than}, in two runs.`
  }
  const strayed = [...first, ...repeat].filter(({ outcome }) => outcome === 'unsteady').length
  if (strayed > 0) return `Too noisy to judge: the base differed from itself in ${count(strayed, 'figure')}.`
  const judged = first.filter(({ outcome }) => outcome !== 'missing')
  if (judged.length === 0) return 'Nothing could be judged: the base has none of these figures.'
  if (verdict === 'too noisy') return `Too noisy to judge. ${sightOf(judged, rule)}`
  return `No regression: none of ${count(judged.length, 'figure')} is ${than}. ${sightOf(judged, rule)}`
}

/** A green light says little without this. */
function sightOf(judged: readonly Judged[], rule: Rule): string {
  const from = judged.flatMap(({ slower }) => (slower ? [seenFrom(slower, rule)] : []))
  if (from.length === 0) return 'One round says nothing about the next.'
  return `Half of them would have shown a slow-down of ${formatEffect(median(from))}, all of them only one of ${formatEffect(Math.max(...from))}.`
}

const nameOf = ({ base: { name, commit } }: Pick<Comparison, 'base'>): string =>
  commit === undefined ? name : `${name} (${commit.slice(0, 7)})`

/** The rows of all figures, or of those that are not fine. */
export function comparisonTable(comparison: Comparison, which: 'all' | 'told'): Table {
  const { first, repeat, rule } = comparison
  const rows = first
    .filter(({ outcome }) => which === 'all' || outcome !== 'fine')
    .map(one => {
      const again = repeat.find(({ figure }) => figure === one.figure)
      const { slower, drift } = one
      return [
        { text: one.figure },
        changeCell(slower, toneOf(one)),
        { text: slower ? `${formatChange(slower.bounds[0])} … ${formatChange(slower.bounds[1])}` : '–' },
        changeCell(drift),
        { text: slower ? formatEffect(seenFrom(slower, rule)) : '–' },
        { text: told(one, again) },
      ] satisfies Cell[]
    })
  return {
    title: which === 'all' ? 'All figures' : 'What stands out',
    about: `How much slower the head is: more time, or fewer per second. With the whole of it beyond ${formatEffect(rule.tolerance)}, and a fresh repeat that agrees, it is a regression.`,
    head: ['', 'slower by', 'between', 'base again', 'seen from', ''],
    rows,
    words: [5],
  }
}

function told({ outcome, error }: Judged, repeat: Judged | undefined): string {
  if (outcome === 'failed') return `the head fails: ${cut(error)}`
  if (outcome === 'missing') return error === undefined ? 'not measured' : `the base can’t: ${cut(error)}`
  if (outcome === 'unsteady') return 'the base differs from itself'
  if (outcome === 'faster') return 'faster'
  if (outcome === 'blind') return 'too noisy to see'
  if (outcome === 'fine') return ''
  if (!repeat?.slower) return 'slower at first; the repeat has nothing to say'
  const size = formatChange(repeat.slower.factor)
  return repeat.outcome === 'slower' ? `regression; the repeat: ${size}` : `not confirmed; the repeat: ${size}`
}

const LONGEST_ERROR = 200
const cut = (text = ''): string => oneLine(text).slice(0, LONGEST_ERROR)

function toneOf({ outcome }: Judged): Cell['tone'] {
  if (outcome === 'slower') return 'worse'
  return outcome === 'faster' ? 'better' : undefined
}

const changeCell = (change: Change | null, tone?: Cell['tone']): Cell =>
  change ? { text: formatChange(change.factor), ...(tone && { tone }) } : { text: '–', tone: 'missing' }

/** A factor as what it adds or takes: 1.12 → `+12 %`, 0.9 → `−10 %`. */
function formatChange(factor: number): string {
  const percent = (factor - 1) * 100
  const size = Math.abs(percent)
  return `${percent < 0 ? '−' : '+'}${size.toFixed(size < 9.95 ? 1 : 0)} %`
}
