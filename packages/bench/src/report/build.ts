// Makes the report of a run, which has medians and ratios to the reference, and the files that it is written to.
import { ENOUGH_ROUNDS, estimateRatio, getSpread, medianOfMedians } from '#measure/statistics'
import { plain, short, shortRange } from '#measure/text'
import { max, sum } from 'd3-array'
import { payloadBytes } from '../model/payloads.js'
import type { Cell, Outcome, Plan } from '../run/run.js'
import { type CaseReport, type Figure, type Report, type ScenarioReport, SCHEMA_VERSION } from './report.js'
import { toHtml } from './html.js'
import { toMarkdown } from './markdown.js'

type RunFacts = Pick<Report, 'tool' | 'filter' | 'seconds' | 'machine'> & { plan: Plan; startedAt: Date }

export function buildReport(outcomes: readonly Outcome[], facts: RunFacts): Report {
  const { tool, filter, plan, machine, startedAt, seconds } = facts
  return {
    schemaVersion: SCHEMA_VERSION,
    tool,
    mode: plan.mode,
    filter,
    startedAt: startedAt.toISOString(),
    seconds: short(seconds),
    plan: { processes: plan.processes, rounds: plan.rounds, slotMs: plan.slotMs },
    machine,
    othersCpu: getOthersCpu(outcomes),
    scenarios: outcomes.map(scenarioReport),
  }
}

/** The part of a report that depends on one scenario only. */
export function scenarioReport({ scenario, cells, ended = 'rounds' }: Outcome): ScenarioReport {
  const { id, title, about, rows, arms, cases } = scenario
  return {
    id,
    title,
    about,
    rows,
    reference: arms[0].id,
    rounds: max(cells, ({ processes }) => processes.flat().length)!,
    ended,
    arms: arms.map(({ id: arm, title: name }) => ({ id: arm, title: name })),
    cases: cases.map((inCase): CaseReport => {
      const caseCells = cells.filter(cell => cell.inCase === inCase)
      const reference = caseCells.find(cell => cell.arm === arms[0] && !cell.error)
      // An arm that neither measured anything nor failed has no answer to the case.
      const known = caseCells.filter(
        ({ error, processes }) => error ?? processes.flat().some(measurement => Object.keys(measurement).length),
      )
      return {
        id: inCase.id,
        title: inCase.title,
        payload: inCase.payload.title,
        payloadBytes: payloadBytes(inCase.payload),
        results: known.map(cell => ({
          arm: cell.arm.id,
          figures: cell.error ? [] : getFigures(cell, reference),
          ...(cell.error && { error: plain(cell.error.message) }),
        })),
      }
    }),
  }
}

const getValues = ({ processes }: Cell, id: string): number[][] =>
  processes.map(rounds => rounds.map(figures => figures[id] ?? NaN))

/** Eight of ten rounds that differ by more are shown as a range: a thread that polls answers sooner than one that sleeps. */
const RANGE_FROM = 1.5

const getFigures = (cell: Cell, reference: Cell | undefined): Figure[] =>
  cell.inCase.figures.flatMap(({ id, title, unit, better }): Figure[] => {
    const measured = getValues(cell, id)
    const numbers = measured.map(rounds => rounds.filter(value => !Number.isNaN(value)))
    const processes = numbers.filter(({ length }) => length > 0)
    if (processes.length === 0) return []
    const estimate = reference ? estimateRatio(measured, getValues(reference, id)) : null
    const known = estimate !== null && cell !== reference && estimate.rounds >= ENOUGH_ROUNDS
    const [low, high] = getSpread(processes)
    return [
      {
        ...{ id, title, unit, better },
        median: short(medianOfMedians(processes)),
        ratio: estimate && short(estimate.value),
        interval: known ? shortRange(estimate.interval) : null,
        ...(high > low * RANGE_FROM && { range: shortRange([low, high]) }),
        processes: processes.map(rounds => rounds.map(short)),
      },
    ]
  })

function getOthersCpu(outcomes: readonly Outcome[]): number | null {
  const known = outcomes.flatMap(({ cpu }) => cpu ?? [])
  return known.length > 0 ? short(sum(known, ({ others }) => others) / sum(known, ({ total }) => total)) : null
}

/** The name of a file that `reportFiles` returns. */
export type ReportFile = 'report.json' | 'report.md' | 'report.html'

/** Returns the text of each file by its name. */
export const reportFiles = (report: Report): Record<ReportFile, string> => ({
  'report.json': `${JSON.stringify(report, null, 2)}\n`,
  'report.md': toMarkdown(report),
  'report.html': toHtml(report),
})
