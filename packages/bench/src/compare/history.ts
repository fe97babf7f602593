// The earlier comparisons of a branch, which each comparison passes on to the next: one entry for a commit.
import { readFileSync } from 'node:fs'
import { formatChange, oneLine } from '../shared/text.js'
import { SEEN, settle, type Comparison, type HistoryEntry } from './judge.js'

/** More are forgotten. */
const MAX_ENTRIES = 20
const COMMIT_LENGTH = 7

/** Returns the entries of the `compare.json` of an earlier comparison, the latest first, and a note if it cannot be read. */
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

/** Returns the history with a comparison as its latest entry. An earlier comparison of the same commit is replaced. */
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

/** Returns a line for each commit, with a bar of its greatest slow-down, and what changed since the commit before; nothing for one commit. */
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

/** Draws a line for each bar. The longest one fills the columns. */
function drawBars(bars: readonly Bar[], columns: number): string[] {
  const getLongest = (part: 'title' | 'text'): number => Math.max(...bars.map(bar => bar[part].length))
  const [titles, texts, most] = [getLongest('title'), getLongest('text'), Math.max(...bars.map(({ value }) => value))]
  const width = Math.max(1, columns - titles - texts - 2)
  return bars.map(({ title, value, text }) => {
    const bar = '▇'.repeat(Math.max(1, Math.round((value / (most || 1)) * width)))
    return `${title.padEnd(titles)} ${bar} ${text}`
  })
}
