// An answer to a question, and the words and bars that it consists of.
import { duration, formatFigure, formatInterval, formatRange, formatRatio } from '../shared/text.js'
import { estimateDifference, estimateRatio } from '../statistics/ratio.js'
import type { Figure } from './report.js'

/** A bar of a small picture. */
export interface Bar {
  title: string
  value: number
  text: string
}

export interface Answer {
  question: string
  sentence: string
  bars: readonly Bar[]
}

/** `1.43× (1.20–1.60×)`, or `about 1×` if the interval contains 1; `undefined` unless both were measured. */
export function describeRatio(figure: Figure | undefined, reference: Figure | undefined): string | undefined {
  const estimate = figure && reference && estimateRatio(figure.processes, reference.processes)
  if (!estimate) return undefined
  const [low, high] = estimate.interval
  const interval = `(${formatInterval(estimate.interval)})`
  return low < 1 && high > 1 ? `about 1× ${interval}` : `${formatRatio(estimate.ratio)} ${interval}`
}

/** Converts a rate to the time of one of the calls. */
export const toTime = (figure: Figure): Figure =>
  figure.unit === '/s'
    ? {
        ...figure,
        unit: 'µs',
        median: 1e6 / figure.median,
        processes: figure.processes.map(all => all.map(rate => 1e6 / rate)),
      }
    : figure

/** `3.05 µs (2.80–3.30 µs)`, or that the difference is within noise. */
export function describeDifference(figure: Figure | undefined, before: Figure | undefined): string | undefined {
  const found = figure && before && estimateDifference(toTime(figure).processes, toTime(before).processes)
  if (!found) return undefined
  const [low, high] = found.interval
  return low > 0 ? `${duration(found.difference)} (${formatRange([low, high], 'µs')})` : 'nothing beyond noise'
}

const toBar = (title: string, figure: Figure): Bar => {
  const { median, unit } = toTime(figure)
  return { title, value: median, text: formatFigure({ median, unit }) }
}

export const toBars = (entries: readonly (readonly [title: string, figure: Figure | undefined])[]): Bar[] =>
  entries.flatMap(([title, figure]) => (figure ? [toBar(title, figure)] : []))
