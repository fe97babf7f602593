// The result of a run in one sentence: what a call costs.
import { formatFigure } from '../shared/text.js'
import { findFigure, type Report } from './report.js'

/** Measured work in the order of preference, and its path without the arm. */
const LATENCIES: [text: string, path: string][] = [
  ['A call', 'shapes/steady/*/p50'],
  ['A call', 'latency/1/*/p50'],
  ['A call after 60 ms of silence', 'shapes/burst/*/p50'],
  ['A call each 4 ms', 'shapes/sparse/*/p50'],
  ['A call, one at a time', 'isolation/1/*/p50'],
]

const RATES: [text: string, path: string][] = [
  ['64 in flight', 'shapes/64/*/rate'],
  ['64 in flight', 'throughput/64/*/rate'],
  ['64 in flight', 'isolation/64/*/rate'],
]

const ARMS: [arm: string, text: string][] = [
  ['ring-json', 'over a ring'],
  ['port-json', 'over a port'],
  ['isolation-ring-json', 'isolated'],
]

/** Returns one or two sentences; `undefined` if the run measured no call over the bus. */
export function getAnswer(report: Pick<Report, 'scenarios'>): string | undefined {
  const read = (path: string, arm: string): string | undefined => {
    const figure = findFigure(report, path.replace('*', arm))
    return figure && formatFigure(figure)
  }
  const describe = ([title, path]: [string, string], most: number): string | undefined => {
    const parts = ARMS.flatMap(([arm, text]) => {
      const figure = read(path, arm)
      return figure === undefined ? [] : `${figure} ${text}`
    })
    const raw = read(path, 'raw')
    const reference = raw === undefined ? '' : ` (raw MessagePort: ${raw})`
    return parts.length > 0 ? `${title}: ${parts.slice(0, most).join(', ')}${reference}.` : undefined
  }
  const find = (all: readonly [string, string][], most: number): string | undefined =>
    all.map(entry => describe(entry, most)).find(text => text !== undefined)
  return [find(LATENCIES, ARMS.length), find(RATES, 1)].filter(Boolean).join(' ') || undefined
}
