// The two files of github-action-benchmark (benchmark-action/github-action-benchmark, `customBiggerIsBetter` and
// `customSmallerIsBetter`): a list each, in which `value` is compared with the one of the same name before.
import { formatInterval } from './format.js'
import { everyFigure, type FigurePlace, type Report } from './report.js'

interface Entry {
  name: string
  unit: string
  value: number
  range?: string
  extra?: string
}

/**
 * Two entries for each figure: what was measured, and its ratio to the reference, which stands for less of the machine. A
 * reference has none.
 */
export function toActionBenchmark(report: Report, better: 'higher' | 'lower'): string {
  const entries = everyFigure(report)
    .filter(({ figure }) => figure.better === better)
    .flatMap(place => [...measuredEntry(place), ...ratioEntry(place)])
  return `${JSON.stringify(entries, null, 2)}\n`
}

const UNITS = { '/s': 'ops/s', µs: 'µs', '%': '%', B: 'B', '': 'count' } as const

/** One process alone, as its lowest and highest round. */
function measuredEntry({ path, figure, inCase, title }: FigurePlace): Entry[] {
  const { low, high, median, unit } = figure
  const extra = `${title}, ${inCase.title}: ${figure.title}`
  return [{ name: path, unit: UNITS[unit], value: median, range: `${low}–${high}`, extra }]
}

function ratioEntry({ path, figure, reference }: FigurePlace): Entry[] {
  const { ratio, interval } = figure
  if (ratio === null || !interval) return []
  const range = formatInterval(interval)
  return [{ name: `${path} ÷ reference`, unit: '×', value: ratio, range, extra: `of ${reference}, 95 %: ${range}` }]
}
