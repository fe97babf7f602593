// Whether the figures of a run can be believed: identical arms agree, other programs leave the CPU alone, and no figure moves.
import { isSteadyKind, NOISE } from '../scenarios/scenario.js'
import { short } from '../shared/text.js'
import { getMovement } from '../statistics/movement.js'
import { estimateRatio } from '../statistics/estimate.js'
import { everyFigure, type Noise, type NoiseCheck, type ScenarioReport } from './report.js'

/** Limit of the ratio of two identical arms, as a factor. Up to it, only greater differences are called better or worse. */
export const TOLERANCE = 1.25

/** Limit of the interval of that ratio, as a factor. */
export const REACH = 1.5

/** Limit of the part of the CPU time that other programs take. */
export const OTHERS_LIMIT = 0.1

/** Judges the arms that were measured twice, and what moved; null without a pair of results. */
export function judgeNoise(scenarios: ScenarioReport[], othersCpu: number | null): Noise | null {
  const cases = scenarios.find(({ id }) => id === NOISE)?.cases ?? []
  const checks = cases.flatMap(({ id: inCase, results }) =>
    results.flatMap(({ arm, figures: [again] }): NoiseCheck[] => {
      const first = results.find(other => `${other.arm}-again` === arm)?.figures[0]
      const estimate = again && first && estimateRatio(again.processes, first.processes)
      if (!estimate) return []
      const [low, high] = estimate.interval
      const [ratio, interval] = [short(estimate.ratio), [short(low), short(high)] as [number, number]]
      return [{ figure: [NOISE, inCase, arm, again.id].join('/'), ratio, interval }]
    }),
  )
  if (checks.length === 0) return null
  const isBeyond = (factor: number, limit: number): boolean => factor > limit || factor < 1 / limit
  const moved = findMoved(scenarios)
  const isNoisy =
    moved.length > 0 ||
    (othersCpu ?? 0) > OTHERS_LIMIT ||
    checks.some(({ ratio, interval }) => isBeyond(ratio, TOLERANCE) || interval.some(end => isBeyond(end, REACH)))
  return { outcome: isNoisy ? 'too noisy' : 'steady', othersCpu, moved, checks }
}

/** Returns the figures that moved, the farthest first. */
function findMoved(scenarios: ScenarioReport[]): Noise['moved'] {
  const moved = everyFigure({ scenarios }).flatMap(({ path, figure }) => {
    const [, id = ''] = path.split('/')
    const factor = isSteadyKind({ id }, figure) ? getMovement(figure.processes) : 1
    return factor > 1 ? [{ figure: path, factor: short(factor) }] : []
  })
  return moved.toSorted((a, b) => b.factor - a.factor)
}
