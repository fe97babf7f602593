// The one line that a reader needs first: whether the run can be believed, and its result. Notes follow.
import { count, formatEffect } from '../shared/text.js'
import type { Noise, Report } from './report.js'
import { getFailures } from './tables.js'

export interface Verdict {
  /** `too noisy` judges nothing, whatever the figures say. */
  outcome: 'too noisy' | 'failed' | 'missed' | 'fine'
  line: string
}

type Judged = Pick<Report, 'noise' | 'scenarios' | 'goals'>

export function getVerdict(report: Judged): Verdict {
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

/** Collects the notes for a reader: how steady the machine was, and what went wrong. */
export function getNotes(report: Report): string[] {
  const { scenarios } = report
  const late = scenarios.filter(({ measuredRounds, rounds }) => measuredRounds < rounds)
  const rounds = late.map(({ id, measuredRounds, rounds: planned }) => `${id} ${measuredRounds} of ${planned}`)
  const moving = scenarios.filter(({ notStationary }) => notStationary > 0)
  const notes = [
    moving.length > 0 &&
      `Measured before the arm was stationary: ${moving.map(({ id, notStationary }) => `${id} ${notStationary} times`).join(', ')}.`,
    late.length > 0 && `To end in time, fewer rounds were measured: ${rounds.join(', ')}.`,
  ]
  return notes.filter(note => note !== false)
}

export const describeMachine = (machine: Report['machine']): string =>
  `${machine.cores} × ${machine.cpu} · Node ${machine.node.slice(1)} · ${machine.platform} ${machine.arch}`

export const describeRun = ({ startedAt, mode, seconds, machine }: Report): string =>
  `${startedAt.slice(0, 16).replace('T', ' ')} UTC · ${mode}, ${Math.round(seconds)} s · load ${machine.loadBefore} → ${machine.loadAfter}`
