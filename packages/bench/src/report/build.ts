// Makes the report of what a run gave: medians over the rounds, and ratios to the reference round by round.
import { payloadBytes } from '../payloads/payloads.js'
import { getRounds, type Plan } from '../run/plan.js'
import type { Cell, Outcome } from '../run/run.js'
import { summarize } from '../statistics/median.js'
import { estimateRatio } from '../statistics/ratio.js'
import { plain, short } from './format.js'
import { goalReports } from './goals.js'
import { judgeNoise } from './noise.js'
import { isolationCost } from './isolation-cost.js'
import {
  SCHEMA_VERSION,
  type CaseReport,
  type Figure,
  type Machine,
  type Report,
  type ScenarioReport,
} from './report.js'

export interface RunFacts {
  tool: Report['tool']
  plan: Plan
  filter: string | null
  startedAt: Date
  seconds: number
  machine: Machine
}

export function buildReport(outcomes: readonly Outcome[], facts: RunFacts): Report {
  const scenarios = outcomes.map(outcome => scenarioReport(outcome, facts.plan))
  const noise = judgeNoise({ scenarios })
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: facts.tool,
    mode: facts.plan.mode,
    filter: facts.filter,
    startedAt: facts.startedAt.toISOString(),
    seconds: short(facts.seconds),
    plan: { processes: facts.plan.processes, rounds: facts.plan.rounds, slotMs: facts.plan.slotMs },
    machine: facts.machine,
    noise,
    scenarios,
    isolationCost: isolationCost({ scenarios }),
    goals: goalReports({ scenarios, noise }),
  }
}

/** The part of a report that is known as soon as a scenario is done. */
export function scenarioReport({ scenario, cells }: Outcome, plan: Plan): ScenarioReport {
  const { id, title, about, rows, arms } = scenario
  return {
    id,
    title,
    about,
    rows,
    reference: arms[0].id,
    rounds: getRounds(plan, scenario) * plan.processes,
    measuredRounds: Math.max(...cells.map(({ processes }) => processes.flat().length)),
    arms: arms.map(({ id: arm, title: name, carries, checks }) => ({
      id: arm,
      title: name,
      ...(carries !== undefined && { carries }),
      ...(checks && { checks }),
    })),
    cases: scenario.cases.map((inCase): CaseReport => {
      const ofCase = cells.filter(cell => cell.inCase === inCase)
      const reference = ofCase.find(cell => cell.arm === arms[0] && !cell.error)
      return {
        id: inCase.id,
        title: inCase.title,
        payload: inCase.payload.title,
        payloadBytes: payloadBytes(inCase.payload),
        results: ofCase.filter(isKnown).map(cell => ({
          arm: cell.arm.id,
          figures: cell.error ? [] : figuresOf(cell, reference),
          ...(cell.error && { error: plain(cell.error.message) }),
        })),
      }
    }),
  }
}

/** An arm that has measured nothing, and not failed, can't do what the case asks for. */
const isKnown = ({ error, processes }: Cell): boolean =>
  error !== undefined || processes.flat().some(figures => Object.keys(figures).length > 0)

/** By process and round, so that each stands beside the reference of its own round: `NaN` where this was not measured. */
const valuesOf = ({ processes }: Cell, id: string): number[][] =>
  processes.map(rounds => rounds.map(figures => figures[id] ?? NaN))

const isNotEmpty = (rounds: readonly number[]): boolean => rounds.length > 0

/** The figures of a case, in their order; one that the arm did not measure is left out. */
function figuresOf(cell: Cell, reference: Cell | undefined): Figure[] {
  return cell.inCase.figures.flatMap((kind): Figure[] => {
    const measured = valuesOf(cell, kind.id)
    const processes = measured.map(rounds => rounds.filter(value => !Number.isNaN(value))).filter(isNotEmpty)
    if (processes.length === 0) return []
    const { median, low, high } = summarize(processes)
    const estimate = reference ? estimateRatio(measured, valuesOf(reference, kind.id)) : null
    const isReference = cell === reference
    // One round says nothing about the next.
    const known = estimate !== null && !isReference && Number.isFinite(estimate.smallestEffect)
    return [
      {
        ...kind,
        median: short(median),
        low: short(low),
        high: short(high),
        ratio: estimate && short(estimate.ratio),
        interval: known ? [short(estimate.interval[0]), short(estimate.interval[1])] : null,
        smallestEffect: known ? short(estimate.smallestEffect) : null,
        processes: processes.map(rounds => rounds.map(short)),
      },
    ]
  })
}
