// Whether a figure is better or worse than its reference: one answer for terminal, Markdown, table and chart.
import { isTail } from '../scenarios/scenario.js'
import type { Figure, Report } from './report.js'

/** How a cell is emphasized: the name of its colour on a terminal, and of its class in the page. */
export const TONES = { better: 'green', worse: 'yellow', failed: 'red', missing: 'dim', unclear: 'dim' } as const
export type Tone = keyof typeof TONES

/** The smallest factor that counts as a difference. Smaller ones are usual on a shared machine. */
const NOTABLE = 1.1

/** Returns the smallest factor that this run can tell from 1: Infinity if it is too noisy to judge anything. */
function getNotable({ noise }: Pick<Report, 'noise'>): number {
  if (noise?.outcome === 'too noisy') return Infinity
  const differences = (noise?.checks ?? []).map(({ ratio }) => Math.max(ratio, 1 / ratio))
  return Math.max(NOTABLE, ...differences)
}

/** Returns `undefined` if a figure is about as good as its reference, or its interval has ratios on both sides of 1. */
export function getTone(
  { ratio, interval, better }: Figure,
  notable: number = NOTABLE,
): 'better' | 'worse' | undefined {
  if (ratio === null || (interval && interval[0] <= 1 && interval[1] >= 1)) return undefined
  const worse = better === 'lower' ? ratio : 1 / ratio
  if (worse > notable) return 'worse'
  return worse < 1 / notable ? 'better' : undefined
}

/** Returns the tone of a figure in one run. */
export type Judge = (figure: Figure) => Tone | undefined

/** Judges nothing in a run that is too noisy, and no tail in a quick run, which has too few of the slowest calls. A bimodal figure is unclear. */
export function createJudge({ noise, mode }: Pick<Report, 'noise' | 'mode'>): Judge {
  const notable = getNotable({ noise })
  return figure =>
    figure.bimodal ? 'unclear' : getTone(figure, isTail(figure) && mode === 'quick' ? Infinity : notable)
}

/** For figures of a run whose noise is not known yet. */
export const judgeNothing: Judge = () => undefined
