// Whether the figures of a run can be believed: identical arms agree, other programs leave the CPU alone, and no more figures move than by chance. If
// this noise check fails, nothing is judged, and no figure has a third digit.
import type { Outcome } from '@sallyport/compare/internal/screen'
import { countMovedByChance, estimateRatio, getMovement } from '@sallyport/compare/internal/statistics'
import { count, formatEffect, short, shortRange } from '@sallyport/compare/internal/text'
import { NOISE } from '../model/scenario.js'
import { formatRatio } from '../shared/text.js'
import { everyFigure, getFailures, type Noise, type Report, type ScenarioReport } from './report.js'

/** Limit of the ratio of two identical arms, as a factor. */
const TOLERANCE = 1.25

/** Limit of the interval of that ratio, as a factor. */
const REACH = 1.5

/** Limit of the part of the CPU time that other programs take. */
const OTHERS_LIMIT = 0.1

/** Judges the arms that were measured twice, and what moved; null without a pair of results. */
export function judgeNoise(scenarios: ScenarioReport[], othersCpu: number | null): Noise | null {
  const cases = scenarios.find(({ id }) => id === NOISE)?.cases ?? []
  const checks = cases.flatMap(({ id: inCase, results }) =>
    results.flatMap(({ arm, figures: [again] }): Noise['checks'] => {
      const first = results.find(other => `${other.arm}-again` === arm)?.figures[0]
      const estimate = again && first && estimateRatio(again.processes, first.processes)
      if (!estimate) return []
      const figure = [NOISE, inCase, arm, again.id].join('/')
      return [{ figure, ratio: short(estimate.value), interval: shortRange(estimate.interval) }]
    }),
  )
  if (checks.length === 0) return null
  const moved = findMoved(scenarios)
  const { most, widest } = getExtremes(checks)
  const isNoisy = moved.length > 0 || (othersCpu ?? 0) > OTHERS_LIMIT || most > TOLERANCE || widest > REACH
  return { outcome: isNoisy ? 'too noisy' : 'steady', othersCpu, moved, checks }
}

/** The figures that moved, the farthest first, if they are more than by chance. */
function findMoved(scenarios: ScenarioReport[]): Noise['moved'] {
  const moved = everyFigure({ scenarios }).flatMap(({ path, figure }) => {
    const factor = getMovement(figure.processes)
    return factor > 1 ? [{ figure: path, factor: short(factor) }] : []
  })
  const results = scenarios.flatMap(({ cases }) => cases.flatMap(inCase => inCase.results))
  const byChance = countMovedByChance(results.map(({ figures }) => figures.map(({ processes }) => processes)))
  return moved.length <= byChance ? [] : moved.toSorted((a, b) => b.factor - a.factor)
}

export const isTooNoisy = ({ noise }: Pick<Report, 'noise'>): boolean => noise?.outcome === 'too noisy'

export interface Verdict {
  /** `too noisy`: nothing is judged. */
  outcome: Exclude<Outcome, 'regression'>
  line: string
}

export function getVerdict(report: Pick<Report, 'noise' | 'scenarios'>): Verdict {
  const { noise, scenarios } = report
  if (noise && isTooNoisy(report)) return { outcome: 'too noisy', line: describeNoise(report, noise) }
  const failed = getFailures(report).length
  const measured = noise ? describeQuiet(noise) : `${count(scenarios.length, 'scenario')} measured`
  const line = [failed > 0 && `${count(failed, 'failure')}.`, `${measured}.`]
  return { outcome: failed > 0 ? 'failed' : 'fine', line: line.filter(Boolean).join(' ') }
}

const toPercent = (part: number): string => `${Math.round(part * 100)} %`
/** Rounds up: what exceeds a limit must not be shown as that limit. */
const formatExcess = (factor: number): string => `${Math.ceil((factor - 1) * 100 - 1e-6)} %`

/** Factors by which identical arms differ, and that their intervals reach. */
export function getExtremes(checks: Noise['checks']): { most: number; widest: number } {
  const getFactor = (ratio: number): number => Math.max(ratio, 1 / ratio)
  return {
    most: Math.max(...checks.map(({ ratio }) => getFactor(ratio))),
    widest: Math.max(...checks.flatMap(({ interval }) => interval.map(getFactor))),
  }
}

function describeQuiet({ checks, othersCpu }: Noise): string {
  const { most } = getExtremes(checks)
  const others = othersCpu === null ? '' : `, and other programs took ${toPercent(othersCpu)} of the CPU`
  return `The machine was quiet: two identical arms differed by ${formatEffect(most)}${others}`
}

function describeNoise(report: Pick<Report, 'scenarios'>, noise: Noise): string {
  const { checks, othersCpu, moved } = noise
  const { most, widest } = getExtremes(checks)
  const [first, ...more] = moved
  const reasons = [
    first && `${nameFigure(report, first.figure)} moved ${formatRatio(first.factor)} within the run`,
    more.length > 0 && `${count(more.length, 'more figure')} moved, too`,
    most > TOLERANCE && `two identical arms differed by ${formatExcess(most)} (limit: ${formatEffect(TOLERANCE)})`,
    widest > REACH &&
      `the interval of two identical arms reached ${formatExcess(widest)} (limit: ${formatEffect(REACH)})`,
    (othersCpu ?? 0) > OTHERS_LIMIT &&
      `other processes took ${toPercent(othersCpu!)} of the CPU (limit: ${toPercent(OTHERS_LIMIT)})`,
  ]
  return `Noise check failed: ${reasons.filter(Boolean).join('; ')}. This run answers nothing. Close other programs, or use --full.`
}

function nameFigure({ scenarios }: Pick<Report, 'scenarios'>, path: string): string {
  const [scenarioId, caseId, armId] = path.split('/')
  const scenario = scenarios.find(({ id }) => id === scenarioId)
  const arm = scenario?.arms.find(({ id }) => id === armId)?.title ?? armId
  return `${arm} (${scenario?.cases.find(({ id }) => id === caseId)?.title ?? caseId})`
}

const ENDS = { intervals: 'when each interval was narrow enough', time: 'when its time was over' }

/** What ended the rounds of each scenario, other than their planned number. */
export const getNotes = ({ scenarios }: Pick<Report, 'scenarios'>): string[] =>
  scenarios.flatMap(({ id, rounds, ended }) =>
    ended === 'rounds' ? [] : `${id} ended after ${count(rounds, 'round')}, ${ENDS[ended]}.`,
  )

export const describeRun = ({ startedAt, mode, seconds, machine }: Report): string =>
  `${startedAt.slice(0, 16).replace('T', ' ')} UTC · ${mode}, ${Math.round(seconds)} s · load ${machine.loadBefore} → ${machine.loadAfter}`
