// Whether what a run measured can be believed. Each case is judged by two arms that are the same (A/A), which are measured as all else: if they differ,
// nothing is said of that case, and of no other. What other programs took is a fact, which refuses nothing.
import type { Outcome } from '#measure/screen'
import { count } from '#measure/text'
import { extent } from 'd3-array'
import { AGAIN } from '../model/scenario.js'
import { type CaseReport, getFailures, type Report } from './report.js'

/** A case is refused if the interval of its identical arms leaves out 1 by more than this factor. */
const LEFT_OUT_LIMIT = 1.1

const findDouble = ({ results }: Pick<CaseReport, 'results'>): CaseReport['results'][number] | undefined =>
  results.find(({ arm }) => arm.endsWith(AGAIN))

/** Returns the factor by which the interval of identical arms leaves out 1: 1 if it does not, or nothing was measured twice. */
export function getLeftOut({ results }: Pick<CaseReport, 'results'>): number {
  const [low, high] = findDouble({ results })?.figures[0]?.interval ?? [1, 1]
  return Math.max(1, low, 1 / high)
}

export const isRefused = (inCase: Pick<CaseReport, 'results'>): boolean => getLeftOut(inCase) > LEFT_OUT_LIMIT

export interface Verdict {
  /** `too noisy`: nothing is judged. */
  outcome: Exclude<Outcome, 'regression'>
  line: string
}

const toPercent = (part: number): string => `${Math.round(part * 100)} %`

export function getVerdict(report: Pick<Report, 'othersCpu' | 'scenarios'>): Verdict {
  const { othersCpu, scenarios } = report
  const failed = getFailures(report).length
  const checked = scenarios.flatMap(({ cases }) => cases).filter(findDouble)
  const refused = checked.filter(isRefused)
  const line = [
    failed > 0 && `${count(failed, 'failure')}.`,
    `${count(scenarios.length, 'scenario')} measured.`,
    ...refused.map(
      each => `Refused: ${each.title}: two identical arms differed by at least ${toPercent(getLeftOut(each) - 1)}.`,
    ),
    describeOthers({ othersCpu }),
  ]
  const isNoisy = refused.length > 0 && refused.length === checked.length
  return { outcome: failed > 0 ? 'failed' : isNoisy ? 'too noisy' : 'fine', line: line.filter(Boolean).join(' ') }
}

export const describeOthers = ({ othersCpu }: Pick<Report, 'othersCpu'>): string =>
  othersCpu === null ? '' : `Other programs took ${toPercent(othersCpu)} of the CPU.`

const ENDS = { intervals: 'until all were narrow', time: 'until the time was over' }

/** What ended the rounds of each scenario, other than their planned number. */
export const getNotes = ({ scenarios }: Pick<Report, 'scenarios'>): string[] =>
  scenarios.flatMap(({ id, ended, cases }) => {
    const figures = cases.flatMap(({ results }) => results.flatMap(result => result.figures))
    const [least, most] = extent(figures, ({ processes }) => processes.flat().length) as [number, number]
    const range = least === most ? '' : `${least} to `
    return ended === 'rounds' ? [] : `${id}: ${range}${count(most, 'round')}, ${ENDS[ended]}.`
  })

export const describeRun = ({ startedAt, mode, seconds, machine }: Report): string =>
  `${startedAt.slice(0, 16).replace('T', ' ')} UTC · ${mode}, ${Math.round(seconds)} s · load ${machine.loadBefore} → ${machine.loadAfter}`
