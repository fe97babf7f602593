// Whether the figures of a run can be believed: identical arms agree, other programs leave the CPU alone, and no figure moves.
import { NOISE } from '../model/scenario.js'
import { short } from '../shared/text.js'
import { median } from '../statistics/median.js'
import { estimateRatio } from '../statistics/ratio.js'
import { everyFigure, type Figure, type Noise, type NoiseCheck, type ScenarioReport } from './report.js'
import { isTail } from './tone.js'

/** Limit of the ratio of two identical arms, as a factor. Up to it, only greater differences are called better or worse. */
const TOLERANCE = 1.25

/** Limit of the interval of that ratio, as a factor. */
const REACH = 1.5

/** Limit of the part of the CPU time that other programs take. */
const OTHERS_LIMIT = 0.1

/** Limit of the factor between two halves of a run. */
const MOVED_LIMIT = 1.5

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
  return {
    outcome: isNoisy ? 'too noisy' : 'steady',
    ...{ tolerance: TOLERANCE, reach: REACH, othersCpu, othersLimit: OTHERS_LIMIT },
    ...{ movedLimit: MOVED_LIMIT, moved, checks },
  }
}

/** Returns the figures that moved, the farthest first. Tails and open loops, which vary on any shared machine, are left out. */
function findMoved(scenarios: ScenarioReport[]): Noise['moved'] {
  const judged = everyFigure({ scenarios }).filter(
    ({ path, figure }) => !figure.aside && !isTail(figure) && !path.split('/')[1]!.startsWith('open-'),
  )
  const moved = judged.flatMap(({ path, figure }) => {
    const factor = getMovement(figure)
    return factor > MOVED_LIMIT ? [{ figure: path, factor: short(factor) }] : []
  })
  return moved.toSorted((a, b) => b.factor - a.factor)
}

/**
 * Returns the factor between the halves of a run, or 1 if they overlap. Halves are apart when every round of one is beyond every round of the
 * other by the limit. A few slow rounds do not count, because medians leave them out.
 */
function getMovement({ processes }: Figure): number {
  const rounds = processes.flat()
  const middle = Math.floor(rounds.length / 2)
  if (middle < 2) return 1
  const halves = [rounds.slice(0, middle), rounds.slice(-middle)]
  const [low, high] = halves.toSorted((a, b) => median(a) - median(b)) as [number[], number[]]
  const isApart = Math.min(...high) > Math.max(...low) * MOVED_LIMIT
  return isApart && Math.max(...low) > 0 ? median(high) / median(low) : 1
}
