// A comparison as text: the verdict, what moved, one line for everything else, and the history of a branch, which each comparison passes on.
import { readFileSync } from 'node:fs'
import { type Screen, wrap } from '../report/terminal.js'
import { describeMachine, OUTCOMES, type Tone, TONES } from '../report/verdict.js'
import { type Change, getDetectableFactor } from '../shared/statistics.js'
import { count, formatChange, formatEffect, oneLine } from '../shared/text.js'
import {
  type Comparison,
  getConfidence,
  getRegressions,
  getSeen,
  getTolerance,
  type HistoryEntry,
  type Judged,
  SEEN,
  settle,
} from './judge.js'

export function toText(comparison: Comparison, screen: Screen): string {
  const { bold, dim } = screen.colors
  const tint = screen.colors[TONES[OUTCOMES[comparison.verdict].tone]]
  const width = screen.columns - 2
  const { shown, folded } = fold(comparison)
  const history = describeHistory(comparison.history, width)
  const parts = [
    wrap(describeVerdict(comparison), width).map(line => bold(tint(line))),
    shown.flatMap(entry => drawFigure(entry, comparison, screen)),
    folded === '' ? [] : wrap(folded, width).map(dim),
    history.flatMap(line => (line.length > width ? wrap(line, width) : [line])),
    describeRun(comparison).flatMap(line => wrap(line, width).map(dim)),
  ]
  return parts.flatMap(lines => (lines.length > 0 ? [...lines.map(line => ` ${line}`), ''] : [])).join('\n')
}

const formatBounds = ({ bounds }: Change): string => bounds.map(formatChange).join(' … ')

function describeVerdict({ first, repeat, rule, verdict, base }: Comparison): string {
  const commit = base.commit === undefined ? '' : ` (${base.commit.slice(0, 7)})`
  const failed = [...first, ...repeat].filter(({ outcome }) => outcome === 'failed').length
  const slower = getRegressions(repeat)
  const all = count(first.length, 'figure')
  if (failed > 0) return `Regression: ${count(failed, 'figure')} can no longer be measured, because the head fails.`
  if (slower.length > 0) {
    const by = Math.max(...slower.map(entry => entry.slower!.factor))
    return `Regression: ${slower.length} of ${all} ${slower.length === 1 ? 'is' : 'are'} slower than ${base.name}${commit}, by ${formatLargest(by)}.`
  }
  const seen = getSeen(first, repeat)
  const last = settle(first, repeat).filter(({ outcome }) => outcome !== 'missing')
  if (last.length === 0) return 'Nothing could be judged: the base has none of these figures.'
  if (verdict === 'too noisy')
    return `Too noisy to judge: ${last.length - seen.length} of ${all} could not have shown a slow-down of ${formatEffect(1 + 2 * (rule.tolerance - 1))}.`
  // Says what `fine` means.
  const from = Math.max(...seen.map(entry => getDetectableFactor(entry.slower!, getTolerance(rule, entry.figure))))
  const unseen = last.length > seen.length ? ` ${last.length - seen.length} more were too noisy to judge.` : ''
  return `No regression: ${count(seen.length, 'figure')} would have shown a slow-down of ${formatEffect(from)} against ${base.name}${commit}.${unseen}`
}

const formatLargest = (factor: number): string => `up to ${formatEffect(factor)}`.replace('up to > ', 'more than ')

/** With so few figures, all of them are shown. */
const FEW = 6

/** How each outcome is shown: those that moved first. If there are many figures, some are only counted. */
const SHOWN: Record<Judged['outcome'], { text: string; tone?: Tone; isFolded?: true }> = {
  failed: { text: 'head fails' },
  slower: { text: 'slower', tone: 'worse' },
  faster: { text: 'faster', tone: 'better' },
  unsteady: { text: 'unsteady' },
  missing: { text: 'not measured', isFolded: true },
  blind: { text: 'unclear', isFolded: true },
  fine: { text: 'fine', isFolded: true },
}
const ORDER = Object.keys(SHOWN)

function fold({ first, repeat }: Comparison): { shown: Judged[]; folded: string } {
  const isFolded = ({ figure, outcome }: Judged): boolean =>
    first.length > FEW && SHOWN[outcome].isFolded === true && repeat.every(other => other.figure !== figure)
  const shown = first
    .filter(entry => !isFolded(entry))
    .toSorted((a, b) => {
      const [left, right] = [a, b].map(entry => ORDER.indexOf(settle([entry], repeat)[0]!.outcome))
      return left! - right! || (b.slower?.factor ?? 0) - (a.slower?.factor ?? 0)
    })
  const counts = Object.entries(SHOWN).flatMap(([outcome, { text }]) => {
    const many = first.filter(entry => isFolded(entry) && entry.outcome === outcome).length
    return many > 0 ? [`${many} ${text}`] : []
  })
  const hidden = first.length - shown.length
  return {
    shown,
    folded: hidden > 0 ? `${count(hidden, 'more figure')}: ${counts.join(', ')} (compare.json has them)` : '',
  }
}

function drawFigure(entry: Judged, { repeat, rule, verdict }: Comparison, { columns, colors }: Screen): string[] {
  const [last] = settle([entry], repeat)
  const { figure, slower, outcome } = last!
  const isRepeated = repeat.some(other => other.figure === entry.figure)
  const { text: word, tone } = SHOWN[outcome]
  const change = slower && `${formatChange(slower.factor)} (${formatBounds(slower)})`
  const seen = slower && (outcome === 'blind' || outcome === 'fine')
  const from = seen ? `: would have seen ${formatEffect(getDetectableFactor(slower, getTolerance(rule, figure)))}` : ''
  const again = isRepeated && entry.slower && `first ${formatChange(entry.slower.factor)}`
  const text = [[change, `${word}${from}`].filter(Boolean).join(' '), again].filter(Boolean).join(', ')
  const tint = tone && verdict !== 'too noisy' ? colors[TONES[tone]] : String
  return [...wrap(oneLine(figure), columns - 2), ...wrap(text, columns - 4).map(line => `  ${tint(line)}`)]
}

function describeRun({ first, startedAt, seconds, machine, runs, rule, notes, program }: Comparison): string[] {
  const errors = first.flatMap(({ figure, error, outcome }) => {
    const side = outcome === 'failed' ? 'head' : 'base'
    return error === undefined ? [] : `${figure}: the ${side} failed: ${oneLine(error).slice(0, 200)}`
  })
  const when = `${startedAt.slice(0, 16).replace('T', ' ')} UTC, ${Math.round(seconds)} s`
  const how = `${count(runs, 'run')} of \`${oneLine(program.join(' '))}\` for each side`
  const bounds = `bounds at ${(100 * getConfidence(rule)).toFixed(3)} %`
  return [...errors, ...notes, [describeMachine(machine), when, how, bounds].join(' · ')]
}

/** More are forgotten. */
const MAX_ENTRIES = 20
const COMMIT_LENGTH = 7

export function readHistory(file: string | null): { history: HistoryEntry[]; notes: string[] } {
  if (file === null) return { history: [], notes: [] }
  try {
    const { history } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Record<string, unknown>>
    if (Array.isArray(history) && history.every(isEntry)) return { history, notes: [] }
    return {
      history: [],
      notes: [`The history in ${file} was ignored: it is not that of a comparison of this version.`],
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return { history: [], notes: [`There is no history yet: ${file} does not exist.`] }
    return { history: [], notes: [`The history in ${file} was ignored: ${(error as Error).message}`] }
  }
}

function isEntry(value: unknown): value is HistoryEntry {
  const { commit, startedAt, verdict, figures } = (value ?? {}) as Partial<HistoryEntry>
  const isFigure = (figure: HistoryEntry['figures'][string] | null): boolean =>
    typeof figure?.outcome === 'string' && (figure.factor === null || figure.factor > 0)
  return (
    [commit, startedAt, verdict].every(text => typeof text === 'string') &&
    typeof figures === 'object' &&
    figures !== null &&
    Object.values(figures).every(isFigure)
  )
}

export function withEntry(
  { commit, startedAt, verdict, first, repeat }: Omit<Comparison, 'history'> & { commit: string },
  history: readonly HistoryEntry[],
): HistoryEntry[] {
  const figures = Object.fromEntries(
    settle(first, repeat).map(({ figure, outcome, slower }) => [figure, { outcome, factor: slower?.factor ?? null }]),
  )
  const others = history.filter(entry => entry.commit !== commit)
  return [{ commit, startedAt, verdict, figures }, ...others].slice(0, MAX_ENTRIES)
}

const shorten = (commit: string): string => oneLine(commit).slice(0, COMMIT_LENGTH)

export function describeHistory(history: readonly HistoryEntry[], columns: number): string[] {
  const [last, before] = history
  if (!last || !before) return []
  const bars = history.map(({ commit, verdict, figures }) => {
    const all = Object.values(figures)
    // A verdict is not based on unclear figures.
    const basis: readonly string[] = verdict === 'regression' ? ['slower'] : verdict === 'fine' ? SEEN : []
    const factors = all.flatMap(({ outcome, factor }) => (basis.includes(outcome) && factor) || [])
    const most = Math.max(...factors)
    const isFailed = all.some(({ outcome }) => outcome === 'failed')
    const text = isFailed ? 'head fails' : factors.length > 0 ? formatChange(most) : '–'
    return {
      title: `${shorten(commit)} ${oneLine(verdict).padEnd('regression'.length)}`,
      value: Math.max(0, most - 1),
      text,
    }
  })
  const changed = Object.entries(last.figures).flatMap(([name, { outcome }]) => {
    const earlier = before.figures[name]?.outcome ?? 'not measured'
    return earlier === outcome ? [] : `${oneLine(name)}: ${oneLine(earlier)} → ${outcome}`
  })
  return [
    'Slowest figure of each commit:',
    ...drawBars(bars, columns),
    changed.length > 0
      ? `Since ${shorten(before.commit)}: ${changed.join(', ')}.`
      : `Nothing changed since ${shorten(before.commit)}.`,
  ]
}

interface Bar {
  title: string
  value: number
  text: string
}

function drawBars(bars: readonly Bar[], columns: number): string[] {
  const getLongest = (part: 'title' | 'text'): number => Math.max(...bars.map(bar => bar[part].length))
  const [titles, texts, most] = [getLongest('title'), getLongest('text'), Math.max(...bars.map(({ value }) => value))]
  const width = Math.max(1, columns - titles - texts - 2)
  return bars.map(({ title, value, text }) => {
    const bar = '▇'.repeat(Math.max(1, Math.round((value / (most || 1)) * width)))
    return `${title.padEnd(titles)} ${bar} ${text}`
  })
}
