// Judges whether the head is slower than its base, by all runs, the fastest and the slowest. Three rules keep false alarms rare: a figure is measured a
// second time, the whole interval of one of these must exceed the tolerance there, and one in which the base differs from itself is not judged.
import type { Machine, PackageInfo } from '#measure/machine'
import type { Outcome } from '#measure/screen'
import type { Change, Processes } from '#measure/statistics'
import { estimatePart, estimateRatio, judgeChange, medianOfMedians, toChange } from '#measure/statistics'

/** One figure, measured interleaved: the base, the head, and the base again (A/A). A process is a run of the program. */
export interface Sides {
  /** Its name. */
  figure: string
  better: 'lower' | 'higher'
  unit: string
  base: Processes
  head: Processes
  again: Processes
  /** The error of the head, if the base has none. */
  failed?: string
  /** The error of the base. */
  missing?: string
}

/**
 * What is compared of the runs, and which share of them: 0 for the median of all. The noise of a machine makes runs slower, seldom faster, so a
 * slow-down of each run shows first in the fastest. One that only some runs have, such as a pause, shows in the slowest.
 */
const PARTS = { 'all runs': 0, 'fastest quarter': 0.25, 'slowest half': -0.5 } as const
type Part = keyof typeof PARTS
/** A bootstrap of a quarter of 15 runs is too narrow. */
const getParts = (runs: Processes): Part[] => (runs.length < 30 ? ['all runs'] : (Object.keys(PARTS) as Part[]))

/** Factors above 1 are slower, for times and for rates: 1.1 is a time of 110 instead of 100, or a rate of 100 instead of 110. */
interface View {
  /** Of fewer than 30 runs, the median of all is compared alone. @default 'all runs' */
  part?: Part
  /** `null` if there is nothing to compare. */
  slower: Change | null
  /** The base against itself: what this machine moves by itself. */
  drift: Change | null
  /**
   * - `unsteady`: the base differs from itself
   * - `blind`: no difference was found, and a slow-down of twice the tolerance could not have been seen, or the values are 0
   * - `missing`: the base has no figure
   * - `failed`: the base has a figure, and the head has none
   */
  outcome: 'fine' | 'slower' | 'faster' | 'unsteady' | 'blind' | 'missing' | 'failed'
}

export interface Judged extends View {
  figure: string
  /** What its other parts say. */
  others?: View[]
  /** Of all runs, in a unit such as `µs`, `B` or `ops/s`. */
  medians?: { base: number; head: number; unit: string }
  error?: string
}

export interface Rule {
  /** A factor above 1: 1.05 is 5 %. */
  tolerance: number
  /** Of figures that have one of their own. */
  tolerances?: Readonly<Record<string, number>>
  /** The number of judged figures. Together they have a probability of 1 % for a false alarm (Bonferroni). */
  figures: number
}

type Conclusion = Exclude<Outcome, 'failed'>

/** Version of the file's format. Increases with each change that breaks readers of the previous version. */
export const COMPARISON_VERSION = 5

/** compare.json */
export interface Comparison {
  comparisonVersion: typeof COMPARISON_VERSION
  tool: PackageInfo
  /** ISO 8601, UTC. */
  startedAt: string
  /** Duration of the whole run. */
  seconds: number
  machine: Machine
  /** A git ref with its commit, or the path of a directory. */
  base: { name: string; kind: 'ref' | 'directory'; commit?: string }
  /** The program with its arguments. */
  program: readonly string[]
  /** The number of runs of each side in the first measurement; 0 if both sides are the same. */
  runs: number
  rule: Rule
  verdict: Conclusion
  first: Judged[]
  /** The second measurement of the figures that were slower than the tolerance in the first. */
  repeat: Judged[]
}

/** Not printed by the program. If it cannot be judged, that says nothing of the others. */
export const MEMORY = 'peak memory'

const ERROR = 0.01

export const getTolerance = ({ tolerance, tolerances = {} }: Rule, figure: string): number =>
  Object.hasOwn(tolerances, figure) ? tolerances[figure]! : tolerance

/** The geometric mean of both measurements of the base is steadier than either. */
const getBetween = ({ base, again }: Sides): Processes =>
  base.map((rounds, process) => rounds.map((value, round) => Math.sqrt(value * (again[process]?.[round] ?? NaN))))

function compare(sides: Sides, part: Part, rule: Rule): View {
  const { figure, base, head, again, better } = sides
  const share = better === 'lower' ? PARTS[part] : -PARTS[part]
  // Each look at a figure can find a difference by chance (Bonferroni).
  const confidence = 1 - ERROR / rule.figures / getParts(head).length
  const [slower, drift] = (
    share === 0
      ? [estimateRatio(head, getBetween(sides), confidence), estimateRatio(again, base, confidence)]
      : [estimatePart([head, base, again], share, confidence), estimatePart([again, base], share, confidence)]
  ).map(estimate => estimate && toChange(estimate.value, estimate.interval, better)) as [Change | null, Change | null]
  return { part, slower, drift, outcome: getOutcome(slower, drift, getTolerance(rule, figure)) }
}

/** Which outcome of its parts a figure has: the first of these. */
const RANK: readonly Judged['outcome'][] = ['slower', 'faster', 'fine', 'unsteady', 'blind', 'missing']

export function judge(sides: Sides, rule: Rule): Judged {
  const { figure, unit, base, head, again, failed, missing } = sides
  const nothing = { figure, slower: null, drift: null }
  if (failed !== undefined) return { ...nothing, outcome: 'failed', error: failed }
  if (missing !== undefined) return { ...nothing, outcome: 'missing', error: missing }
  // A single round says nothing about the next.
  if (head.flat().length === 1 && base.flat().length === 1) return { ...nothing, outcome: 'blind' }
  const [decisive, ...others] = getParts(head)
    .map(part => compare(sides, part, rule))
    .toSorted((a, b) => RANK.indexOf(a.outcome) - RANK.indexOf(b.outcome))
  const medians = { base: medianOfMedians(getBetween(sides)), head: medianOfMedians(head), unit }
  if (decisive!.slower === null && [base, head, again].every(side => side.flat().length > 0))
    return { ...nothing, medians, outcome: 'blind', error: 'Only values above 0 have a ratio. Print more digits' }
  return { figure, ...decisive!, others, medians }
}

export function getOutcome(slower: Change | null, drift: Change | null, tolerance: number): Judged['outcome'] {
  if (slower === null) return 'missing'
  if (drift && (drift.bounds[0] > tolerance || drift.bounds[1] < 1 / tolerance)) return 'unsteady'
  const judgement = judgeChange(slower, tolerance)
  return judgement === 'same' ? 'fine' : judgement === 'unclear' ? 'blind' : judgement
}

/**
 * True if the interval of each figure, by all runs, reaches at most half of the tolerance to both sides. The figures themselves say nothing here: rounds
 * that ended because of a difference would find one too often. The memory has few values, which more runs do not change.
 */
export const isNarrow = (sides: readonly Sides[], rule: Rule): boolean =>
  sides.every(entry => {
    const { slower } = compare(entry, 'all runs', rule)
    if (!slower || entry.figure === MEMORY || (entry.failed ?? entry.missing) !== undefined) return true
    const [low, high] = slower.bounds
    return high - low <= (getTolerance(rule, entry.figure) - 1) * slower.factor
  })

/** With fewer runs, all of them agree by chance more often than the confidence allows. */
export const getMinRuns = ({ figures }: Rule): number => Math.ceil(Math.log2(figures / ERROR))

export const getSuspects = (judged: readonly Judged[], rule: Rule): string[] =>
  judged
    .filter(entry =>
      [entry, ...(entry.others ?? [])].some(({ slower }) => slower && slower.factor > getTolerance(rule, entry.figure)),
    )
    .map(({ figure }) => figure)

export const settle = (first: readonly Judged[], repeat: readonly Judged[]): Judged[] =>
  first.map(entry => repeat.find(({ figure }) => figure === entry.figure) ?? entry)

export const getRegressions = (repeat: readonly Judged[]): Judged[] =>
  repeat.filter(({ outcome }) => outcome === 'slower')

/** Outcomes of figures in which a slow-down of twice the tolerance would have been seen. */
const SEEN: readonly Judged['outcome'][] = ['fine', 'faster', 'slower']

/** The figures that were compared. */
export const getCounted = (first: readonly Judged[], repeat: readonly Judged[]): Judged[] =>
  settle(first, repeat).filter(({ figure, outcome }) => outcome !== 'missing' && figure !== MEMORY)

export const getSeen = (first: readonly Judged[], repeat: readonly Judged[]): Judged[] =>
  getCounted(first, repeat).filter(({ outcome }) => SEEN.includes(outcome))

export function conclude(first: readonly Judged[], repeat: readonly Judged[]): Conclusion {
  if ([...first, ...repeat].some(({ outcome }) => outcome === 'failed')) return 'regression'
  if (getRegressions(repeat).length > 0) return 'regression'
  const seen = getSeen(first, repeat).length
  const known = getCounted(first, repeat).length
  return seen > known - seen ? 'fine' : 'too noisy'
}
