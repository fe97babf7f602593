// An answer to a question, and the words and bars that it consists of. A bimodal figure is in bars only, as a range.
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

/** The sentence of an answer whose figures are bimodal. */
export const CANNOT_SAY = 'This run cannot say: its figures are bimodal.'

/** `1.43× (1.20–1.60×)`, or `about 1×` if the interval contains 1; `undefined` unless both were measured, and neither is bimodal. */
export function describeRatio(figure: Figure | undefined, reference: Figure | undefined): string | undefined {
  if (figure?.bimodal || reference?.bimodal) return undefined
  const estimate = figure && reference && estimateRatio(figure.processes, reference.processes)
  if (!estimate) return undefined
  const [low, high] = estimate.interval
  const interval = `(${formatInterval(estimate.interval)})`
  return low < 1 && high > 1 ? `about 1× ${interval}` : `${formatRatio(estimate.ratio)} ${interval}`
}

/** `3.05 µs (2.80–3.30 µs)`, or that the difference is within noise; `undefined` as for a ratio. */
export function describeDifference(figure: Figure | undefined, before: Figure | undefined): string | undefined {
  if (figure?.bimodal || before?.bimodal) return undefined
  const found = figure && before && estimateDifference(figure.processes, before.processes)
  if (!found) return undefined
  const [low, high] = found.interval
  return low > 0 ? `${duration(found.difference)} (${formatRange([low, high], 'µs')})` : 'nothing beyond noise'
}

const toBar = (title: string, { median, unit, bimodal, range }: Figure): Bar => ({
  title,
  value: median,
  text: bimodal && range ? formatRange(range, unit) : formatFigure({ median, unit }),
})

export const toBars = (entries: readonly (readonly [title: string, figure: Figure | undefined])[]): Bar[] =>
  entries.flatMap(([title, figure]) => (figure ? [toBar(title, figure)] : []))
