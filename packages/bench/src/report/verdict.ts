// The one line that a reader needs first: can this run be believed, did anything fail, were the goals met.
import { median } from '../statistics/median.js'
import { count, formatEffect } from './format.js'
import type { Report } from './report.js'
import { failures } from './table.js'

export interface Verdict {
  /** `too noisy` judges nothing, whatever the figures say. */
  outcome: 'too noisy' | 'failed' | 'missed' | 'fine'
  line: string
}

type Judged = Pick<Report, 'noise' | 'scenarios' | 'goals'>

export function verdictOf(report: Judged): Verdict {
  const { noise, goals } = report
  if (noise?.outcome === 'too noisy') return { outcome: 'too noisy', line: `Too noisy to judge: ${strayed(noise)}.` }
  const failed = failures(report).length
  const missed = goals.filter(({ outcome }) => outcome === 'missed').length
  const met = goals.filter(({ outcome }) => outcome === 'met').length
  const said = [
    ...(failed > 0 ? [`${count(failed, 'failure')}`] : []),
    ...(goals.length > 0 ? [`goals: ${met} met, ${missed} missed`] : []),
    `${count(report.scenarios.length, 'scenario')} measured${noise ? ', and what was measured against itself agreed' : ''}`,
  ].join('; ')
  const outcome = failed > 0 ? 'failed' : missed > 0 ? 'missed' : 'fine'
  return { outcome, line: `${said.charAt(0).toUpperCase()}${said.slice(1)}.` }
}

/** How far apart two measurements of the same came, in the worst case. */
export function strayed({ checks, tolerance }: NonNullable<Report['noise']>): string {
  const most = Math.max(...checks.map(({ ratio }) => Math.max(ratio, 1 / ratio)))
  return `what was measured twice differed from itself by ${formatEffect(most)}, where ${formatEffect(tolerance)} is allowed`
}

/** The smallest effect that half of the comparisons could have shown, and that nine in ten could have; null where none can tell. */
export function smallestEffects({ scenarios }: Pick<Report, 'scenarios'>): { half: number; most: number } | null {
  const effects = scenarios
    .flatMap(({ cases }) => cases.flatMap(({ results }) => results.flatMap(({ figures }) => figures)))
    .flatMap(({ smallestEffect }) => (smallestEffect === null ? [] : [smallestEffect]))
    .sort((one, other) => one - other)
  if (effects.length === 0) return null
  return { half: median(effects), most: effects[Math.min(effects.length - 1, Math.floor(effects.length * 0.9))]! }
}
