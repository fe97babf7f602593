// An answer to a question, and the words and bars that it consists of. A bimodal figure is shown as a range.
import { duration, formatFigure, formatInterval, formatRange, formatRatio } from '../shared/text.js'
import { estimateDifference, estimateRatio } from '../statistics/estimate.js'
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

const isBimodal = (...figures: Figure[]): boolean => figures.some(({ bimodal }) => bimodal)

export interface Comparison {
  ratio: number
  /** Where it is: the 95 % interval, or of bimodal figures eight of ten rounds. */
  range: readonly [low: number, high: number]
  /** `1.43×`, or the range of bimodal figures. */
  short: string
  /** `1.43× (1.20–1.60×)`, `about 1× (0.90–1.10×)`, or `1.90–12.3× (from round to round)`. */
  text: string
}

/** Compares two figures; `undefined` unless both were measured. */
export function compareFigures(figure: Figure | undefined, reference: Figure | undefined): Comparison | undefined {
  const estimate = figure && reference && estimateRatio(figure.processes, reference.processes)
  if (!estimate) return undefined
  const { ratio, interval, spread } = estimate
  if (isBimodal(figure, reference)) {
    const short = formatInterval(spread)
    return { ratio, range: spread, short, text: `${short} (from round to round)` }
  }
  const [short, isAbout] = [formatRatio(ratio), interval[0] < 1 && interval[1] > 1]
  return { ratio, range: interval, short, text: `${isAbout ? 'about 1×' : short} (${formatInterval(interval)})` }
}

export const describeRatio = (figure: Figure | undefined, reference: Figure | undefined): string | undefined =>
  compareFigures(figure, reference)?.text

/** `3.05 µs (2.80–3.30 µs)`, or `at most 1.20 µs`, of which nothing can be told from 0; `undefined` as for a comparison. */
export function describeDifference(figure: Figure | undefined, before: Figure | undefined): string | undefined {
  const found = figure && before && estimateDifference(figure.processes, before.processes)
  if (!found) return undefined
  const { difference, interval, spread } = found
  const [low, high] = isBimodal(figure, before) ? spread : interval
  if (low <= 0) return high > 0 ? `at most ${duration(high)}` : 'nothing'
  return isBimodal(figure, before)
    ? `${formatRange(spread, 'µs')} (from round to round)`
    : `${duration(difference)} (${formatRange(interval, 'µs')})`
}

const toBar = (title: string, { median, unit, bimodal, range }: Figure): Bar => ({
  title,
  value: median,
  text: bimodal && range ? formatRange(range, unit) : formatFigure({ median, unit }),
})

export const toBars = (entries: readonly (readonly [title: string, figure: Figure | undefined])[]): Bar[] =>
  entries.flatMap(([title, figure]) => (figure ? [toBar(title, figure)] : []))
