// Whether the figures of a report can be trusted, and notes on its precision.
import { isTail } from '../scenarios/scenario.js'
import { count, formatEffect, formatRatio } from '../shared/text.js'
import { OTHERS_LIMIT, REACH, TOLERANCE } from './noise.js'
import { everyFigure, type Figure, type Noise, type Report } from './report.js'
import { getFailures } from './tables.js'
import type { Tone } from './tone.js'

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

/** Says whether the figures can be believed. */
export function getVerdict(report: Pick<Report, 'noise' | 'scenarios'>): Verdict {
  const { noise, scenarios } = report
  if (noise?.outcome === 'too noisy') return { outcome: 'too noisy', line: describeNoise(report, noise) }
  const failed = getFailures(report).length
  const measured = noise ? describeQuiet(noise) : `${count(scenarios.length, 'scenario')} measured`
  const line = [failed > 0 && `${count(failed, 'failure')}.`, `${measured}${describeBimodal(report)}.`]
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

/** More are counted. */
const MAX_BIMODAL = 4

/** Names the figures that no other run needs to confirm, the farthest apart first. */
function describeBimodal(report: Pick<Report, 'scenarios'>): string {
  const getFactor = ({ range: [low, high] = [1, 1] }: Figure): number => high / low
  const bimodal = everyFigure(report)
    .filter(({ figure }) => figure.bimodal)
    .toSorted((a, b) => getFactor(b.figure) - getFactor(a.figure))
    .map(({ path }) => nameFigure(report, path))
  if (bimodal.length === 0) return ''
  const [shown, more] = [bimodal.slice(0, MAX_BIMODAL), bimodal.length - MAX_BIMODAL]
  const names = more > 0 ? [...shown, `${more} more`] : shown
  return `, but ${bimodal.length === 1 ? '1 figure is' : `${bimodal.length} figures are`} bimodal: ${names.join(', ')}`
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
  return `Noise check failed: ${reasons.filter(Boolean).join('; ')}. Treat these figures as approximate.`
}

/** Returns the titles of a figure's arm and case. */
function nameFigure({ scenarios }: Pick<Report, 'scenarios'>, path: string): string {
  const [scenarioId, caseId, armId] = path.split('/')
  const scenario = scenarios.find(({ id }) => id === scenarioId)
  const arm = scenario?.arms.find(({ id }) => id === armId)?.title ?? armId
  return `${arm} (${scenario?.cases.find(({ id }) => id === caseId)?.title ?? caseId})`
}

/** Returns what limits the precision of a run, as sentences. */
export function getNotes({ scenarios, mode }: Report): string[] {
  const late = scenarios.filter(({ measuredRounds, rounds }) => measuredRounds < rounds)
  const rounds = late.map(({ id, measuredRounds, rounds: planned }) => `${id} ${measuredRounds} of ${planned}`)
  const hasTails = everyFigure({ scenarios }).some(({ figure }) => isTail(figure))
  return [
    ...(hasTails && mode === 'quick'
      ? ['p99 is not judged: a quick run has too few of the slowest calls. Use --full.']
      : []),
    ...(late.length > 0 ? [`To end in time, fewer rounds were measured: ${rounds.join(', ')}.`] : []),
  ]
}

export const describeMachine = (machine: Report['machine']): string =>
  `${machine.cores} × ${machine.cpu} · Node ${machine.node.slice(1)} · ${machine.platform} ${machine.arch}`

export const describeRun = ({ startedAt, mode, seconds, machine }: Report): string =>
  `${startedAt.slice(0, 16).replace('T', ' ')} UTC · ${mode}, ${Math.round(seconds)} s · load ${machine.loadBefore} → ${machine.loadAfter}`
