// Is the head slower than its base? Pure judgement of what was measured: no clock, no file. It cries wolf rarely by three
// rules: the whole bound has to lie beyond the tolerance, a fresh repeat has to agree, and where the base differs from
// itself nothing is judged at all.
import type { FigureKind } from '../model/scenario.js'
import { estimateBounds, estimateRatio, type Processes } from '../statistics/ratio.js'

/** One figure of one arm in one case, measured in turns: the base, the head, and the base again (A/A). */
export interface Sides {
  /** `scenario/case/arm/figure` */
  figure: string
  kind: FigureKind
  base: Processes
  head: Processes
  again: Processes
  /** What went wrong with the head, where the base did its work. */
  failed?: string
  /** What went wrong with the base. */
  missing?: string
}

/** Factors above 1 are slower, whichever way the figure counts: 1.1 is a time of 110, or a rate of 100 / 110. */
export interface Judged {
  figure: string
  kind: FigureKind
  /** `null` where there is nothing to compare. */
  slower: Change | null
  /** The base against itself. */
  drift: Change | null
  /**
   * `unsteady`: the base differs from itself · `blind`: nothing was seen, nor could be · `missing`: the base has none
   * · `failed`: the head has none, and the base has
   */
  outcome: 'fine' | 'slower' | 'faster' | 'unsteady' | 'blind' | 'missing' | 'failed'
  /** What went wrong, where something did. */
  error?: string
}

export interface Change {
  factor: number
  /** With all the confidence that the number of figures asks for, on each side. */
  bounds: [low: number, high: number]
}

export interface Rule {
  /** As a factor above 1: 1.05 is 5 %. */
  tolerance: number
  /** How many figures are judged. Each bound has a part of the 1 % by which one of them all may be wrong (Bonferroni). */
  figures: number
}

export type Verdict = 'fine' | 'regression' | 'too noisy'

const ERROR = 0.01

/** Where a slow-down of so many times the tolerance would not have been seen, a green light would say nothing. */
const BLIND = 4

export const confidenceOf = ({ figures }: Rule): number => 1 - ERROR / figures

export function judge({ figure, kind, base, head, again, failed, missing }: Sides, rule: Rule): Judged {
  const none = { figure, kind, slower: null, drift: null }
  if (failed !== undefined) return { ...none, outcome: 'failed', error: failed }
  if (missing !== undefined) return { ...none, outcome: 'missing', error: missing }
  if (isOneRound(head) && isOneRound(base)) return { ...none, outcome: 'blind' }
  const slower = changeOf(kind, head, between(base, again), rule)
  const drift = changeOf(kind, again, base, rule)
  return { figure, kind, slower, drift, outcome: outcomeOf(slower, drift, rule) }
}

export function outcomeOf(slower: Change | null, drift: Change | null, rule: Rule): Judged['outcome'] {
  const { tolerance } = rule
  if (slower === null) return 'missing'
  if (drift && (drift.bounds[0] > tolerance || drift.bounds[1] < 1 / tolerance)) return 'unsteady'
  if (slower.bounds[0] > tolerance) return 'slower'
  if (slower.bounds[1] < 1 / tolerance) return 'faster'
  return seenFrom(slower, rule) > 1 + BLIND * (tolerance - 1) ? 'blind' : 'fine'
}

/** With fewer, all of them agree by chance more often than the bounds say. */
export const leastProcesses = ({ figures }: Rule): number => Math.ceil(Math.log2(figures / ERROR))

/** What has to be measured once more before it is called a regression. */
export const suspectsOf = (judged: readonly Judged[]): Judged[] => judged.filter(({ outcome }) => outcome === 'slower')

/** @param repeat of the suspects; empty where there were none */
export function conclude(first: readonly Judged[], repeat: readonly Judged[]): Verdict {
  const all = [...first, ...repeat]
  if (all.some(({ outcome }) => outcome === 'failed')) return 'regression'
  if (all.some(({ outcome }) => outcome === 'unsteady')) return 'too noisy'
  if (regressionsOf(first, repeat).length > 0) return 'regression'
  const seen = first.filter(({ outcome }) => outcome !== 'missing' && outcome !== 'blind').length
  const blind = first.filter(({ outcome }) => outcome === 'blind').length
  return seen > blind ? 'fine' : 'too noisy'
}

/** Slower in both. */
export const regressionsOf = (first: readonly Judged[], repeat: readonly Judged[]): Judged[] =>
  suspectsOf(first).filter(({ figure }) => suspectsOf(repeat).some(again => again.figure === figure))

/** From which factor on a slow-down would have been beyond the tolerance in a run that is as noisy as this one. */
export const seenFrom = ({ factor, bounds }: Change, { tolerance }: Rule): number => (tolerance * factor) / bounds[0]

/** It may be anything, and nothing tells how far from the truth. */
const isOneRound = (of: Processes): boolean => of.flat().length === 1

/** Both measurements of the base count: their geometric mean, round by round, is steadier than either. */
const between = (base: Processes, again: Processes): number[][] =>
  base.map((rounds, process) =>
    rounds.map((value, round) => {
      const other = again[process]?.[round]
      return other === undefined ? NaN : Math.sqrt(value * other)
    }),
  )

function changeOf(kind: FigureKind, figure: Processes, reference: Processes, rule: Rule): Change | null {
  const [upper, lower] = kind.better === 'lower' ? [figure, reference] : [reference, figure]
  const estimate = estimateRatio(upper, lower)
  const bounds = estimateBounds(upper, lower, confidenceOf(rule))
  return estimate && bounds && { factor: estimate.ratio, bounds }
}
