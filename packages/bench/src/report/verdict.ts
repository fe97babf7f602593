// The first line of a report: whether its figures can be trusted, and the result. Notes follow.
import { count, formatEffect } from '../shared/text.js'
import type { Noise, Report } from './report.js'
import type { Tone } from './table.js'
import { getFailures } from './tables.js'

export interface Verdict {
  /** `missed` goals belong to a run, a `regression` to a comparison. `too noisy`: nothing is judged. */
  outcome: 'fine' | 'missed' | 'failed' | 'regression' | 'too noisy'
  line: string
}

type OutcomeStyle = { sign: string; emoji: string; tone: Tone; exitCode: number }

export const OUTCOMES: Record<Verdict['outcome'], OutcomeStyle> = {
  fine: { sign: '✓', emoji: '🟢', tone: 'better', exitCode: 0 },
  missed: { sign: '!', emoji: '🟡', tone: 'worse', exitCode: 0 },
  failed: { sign: '✕', emoji: '🔴', tone: 'failed', exitCode: 1 },
  regression: { sign: '✕', emoji: '🔴', tone: 'failed', exitCode: 1 },
  'too noisy': { sign: '≈', emoji: '⚪', tone: 'worse', exitCode: 3 },
}

export function getVerdict(report: Pick<Report, 'noise' | 'scenarios' | 'goals'>): Verdict {
  const { noise, goals, scenarios } = report
  if (noise?.outcome === 'too noisy') return { outcome: 'too noisy', line: describeNoise(noise) }
  const failed = getFailures(report).length
  const [missed, met] = (['missed', 'met'] as const).map(wanted => goals.filter(goal => goal.outcome === wanted).length)
  const parts = [
    failed > 0 && count(failed, 'failure'),
    goals.length > 0 && `goals: ${met} met, ${missed} missed`,
    `${count(scenarios.length, 'scenario')} measured${noise ? ', and the noise check passed' : ''}`,
  ]
  const line = `${parts.filter(Boolean).join('; ')}.`
  const outcome = failed > 0 ? 'failed' : missed! > 0 ? 'missed' : 'fine'
  return { outcome, line: line.charAt(0).toUpperCase() + line.slice(1) }
}

function describeNoise({ checks, tolerance, reach, othersCpu, othersLimit }: Noise): string {
  const toPercent = (part: number): string => `${Math.round(part * 100)} %`
  const most = Math.max(...checks.map(({ ratio }) => Math.max(ratio, 1 / ratio)))
  const widest = Math.max(...checks.map(({ interval: [low, high] }) => Math.max(high, 1 / low)))
  const reasons = [
    most > tolerance && `two identical arms differed by ${formatEffect(most)} (limit: ${formatEffect(tolerance)})`,
    widest > reach &&
      `the interval of two identical arms reached ${formatEffect(widest)} (limit: ${formatEffect(reach)})`,
    (othersCpu ?? 0) > othersLimit &&
      `other processes took ${toPercent(othersCpu!)} of the CPU (limit: ${toPercent(othersLimit)})`,
  ]
  return `Noise check failed: ${reasons.filter(Boolean).join('; ')}. Treat these figures as approximate.`
}

/** Returns what limits the precision of a run, as sentences. */
export function getNotes({ scenarios }: Report): string[] {
  const late = scenarios.filter(({ measuredRounds, rounds }) => measuredRounds < rounds)
  const rounds = late.map(({ id, measuredRounds, rounds: planned }) => `${id} ${measuredRounds} of ${planned}`)
  const moving = scenarios.filter(({ notStationary }) => notStationary > 0)
  const times = moving.map(({ id, notStationary }) => `${id} ${notStationary} times`)
  return [
    ...(moving.length > 0 ? [`Measured before the arm was stationary: ${times.join(', ')}.`] : []),
    ...(late.length > 0 ? [`To end in time, fewer rounds were measured: ${rounds.join(', ')}.`] : []),
  ]
}

export const describeMachine = (machine: Report['machine']): string =>
  `${machine.cores} × ${machine.cpu} · Node ${machine.node.slice(1)} · ${machine.platform} ${machine.arch}`

export const describeRun = ({ startedAt, mode, seconds, machine }: Report): string =>
  `${startedAt.slice(0, 16).replace('T', ' ')} UTC · ${mode}, ${Math.round(seconds)} s · load ${machine.loadBefore} → ${machine.loadAfter}`
