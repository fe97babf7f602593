// Whether the figures of a run can be believed, and which of them differ from their reference:
// 1. the noise check: identical arms agree, other programs leave the CPU alone, and no more figures move than by chance
// 2. if it fails, nothing is judged, and no figure has a third digit
// 3. otherwise a figure is better or worse if its whole interval is beyond what two identical arms differ by
import { NOISE } from '../model/scenario.js'
import {
  countMovedByChance,
  estimateRatio,
  getMovement,
  judgeChange,
  type Judgement,
  toChange,
} from '../shared/statistics.js'
import { count, formatEffect, formatRatio, short } from '../shared/text.js'
import {
  everyFigure,
  type Figure,
  getFailures,
  type Noise,
  type NoiseCheck,
  type Report,
  type ScenarioReport,
} from './report.js'

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
    results.flatMap(({ arm, figures: [again] }): NoiseCheck[] => {
      const first = results.find(other => `${other.arm}-again` === arm)?.figures[0]
      const estimate = again && first && estimateRatio(again.processes, first.processes)
      if (!estimate) return []
      const [low, high] = estimate.interval
      const [ratio, interval] = [short(estimate.value), [short(low), short(high)] as [number, number]]
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

/** The figures that moved, the farthest first, if they are more than by chance. */
function findMoved(scenarios: ScenarioReport[]): Noise['moved'] {
  const figures = everyFigure({ scenarios })
  const moved = figures.flatMap(({ path, figure }) => {
    const factor = getMovement(figure.processes)
    return factor > 1 ? [{ figure: path, factor: short(factor) }] : []
  })
  const isByChance = moved.length <= countMovedByChance(figures.map(({ figure }) => figure.processes))
  return isByChance ? [] : moved.toSorted((a, b) => b.factor - a.factor)
}

export const isTooNoisy = ({ noise }: Pick<Report, 'noise'>): boolean => noise?.outcome === 'too noisy'

/** How a cell is emphasized: the name of its colour on a terminal, and of its class in the page. */
export const TONES = { better: 'green', worse: 'yellow', failed: 'red', missing: 'dim' } as const
export type Tone = keyof typeof TONES

/** The smallest factor that counts as a difference. Smaller ones are usual on a shared machine. */
const NOTABLE = 1.05

/** Judges a figure of a run against its reference. */
export type Judge = (figure: Figure) => Judgement

/** Nothing is clear in a run that is too noisy. */
export function createJudge({ noise }: Pick<Report, 'noise'>): Judge {
  const differences = (noise?.checks ?? []).map(({ ratio }) => Math.max(ratio, 1 / ratio))
  const notable = Math.max(NOTABLE, ...differences)
  return figure => {
    const change = toChange(figure.ratio, figure.interval, figure.better)
    return isTooNoisy({ noise }) || !change ? 'unclear' : judgeChange(change, notable)
  }
}

export interface Verdict {
  /** `regression` belongs to a comparison. `too noisy`: nothing is judged. */
  outcome: 'fine' | 'failed' | 'regression' | 'too noisy'
  line: string
}

type OutcomeStyle = { sign: string; emoji: string; tone: Tone; exitCode: number }

export const OUTCOMES: Record<Verdict['outcome'], OutcomeStyle> = {
  fine: { sign: '✓', emoji: '🟢', tone: 'better', exitCode: 0 },
  failed: { sign: '✕', emoji: '🔴', tone: 'failed', exitCode: 1 },
  regression: { sign: '✕', emoji: '🔴', tone: 'failed', exitCode: 1 },
  'too noisy': { sign: '≈', emoji: '⚪', tone: 'worse', exitCode: 3 },
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

const getMost = (ratios: readonly number[]): number => Math.max(...ratios.map(ratio => Math.max(ratio, 1 / ratio)))

function describeQuiet({ checks, othersCpu }: Noise): string {
  const most = getMost(checks.map(({ ratio }) => ratio))
  const others = othersCpu === null ? '' : `, and other programs took ${toPercent(othersCpu)} of the CPU`
  return `The machine was quiet: two identical arms differed by ${formatEffect(most)}${others}`
}

function describeNoise(report: Pick<Report, 'scenarios'>, noise: Noise): string {
  const { checks, othersCpu, moved } = noise
  const most = getMost(checks.map(({ ratio }) => ratio))
  const widest = getMost(checks.flatMap(({ interval }) => interval))
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

export const describeMachine = (machine: Report['machine']): string =>
  `${machine.cores} × ${machine.cpu} · Node ${machine.node.slice(1)} · ${machine.platform} ${machine.arch}`

export const describeRun = ({ startedAt, mode, seconds, machine }: Report): string =>
  `${startedAt.slice(0, 16).replace('T', ' ')} UTC · ${mode}, ${Math.round(seconds)} s · load ${machine.loadBefore} → ${machine.loadAfter}`
