// Makes the report of what a run gave: medians over the rounds, and ratios to the reference round by round.
import { payloadBytes } from '../payloads/payload.js'
import { roundsOf, type Plan } from '../plan.js'
import type { Cell, Outcome } from '../run.js'
import { summarize } from '../statistics/median.js'
import { pairedRatio } from '../statistics/ratio.js'
import { goalReports } from './goals.js'
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
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: facts.tool,
    mode: facts.plan.mode,
    filter: facts.filter,
    startedAt: facts.startedAt.toISOString(),
    seconds: round(facts.seconds),
    rounds: facts.plan.rounds,
    machine: facts.machine,
    scenarios,
    isolationCost: isolationCost({ scenarios }),
    goals: goalReports({ scenarios }),
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
    rounds: roundsOf(plan, scenario),
    measuredRounds: Math.max(...cells.map(cell => cell.rounds.length)),
    arms: arms.map(arm => ({ id: arm.id, title: arm.title })),
    cases: scenario.cases.map((inCase): CaseReport => {
      const ofCase = cells.filter(cell => cell.inCase === inCase)
      const reference = ofCase.find(cell => cell.arm === arms[0] && !cell.error)
      return {
        id: inCase.id,
        title: inCase.title,
        payload: inCase.payload.title,
        payloadBytes: payloadBytes(inCase.payload),
        results: ofCase.map(cell => ({
          arm: cell.arm.id,
          figures: cell.error ? [] : figuresOf(cell, reference),
          ...(cell.error && { error: cell.error.message }),
        })),
      }
    }),
  }
}

/** The figures of a case, in their order; one that the arm did not measure is left out. */
function figuresOf(cell: Cell, reference: Cell | undefined): Figure[] {
  const roundsOf = (from: Cell, id: string): number[] =>
    from.rounds.flatMap(figures => (figures[id] === undefined ? [] : [figures[id]]))
  return cell.inCase.figures.flatMap((kind): Figure[] => {
    const rounds = roundsOf(cell, kind.id)
    if (rounds.length === 0) return []
    const { median, low, high } = summarize(rounds)
    const ratio = reference ? pairedRatio(rounds, roundsOf(reference, kind.id)) : null
    return [
      {
        ...kind,
        median: round(median),
        low: round(low),
        high: round(high),
        ratio: ratio === null ? null : round(ratio),
        rounds: rounds.map(round),
      },
    ]
  })
}

/** Four significant digits: more than any of them can be trusted to. */
const round = (value: number): number => Number(value.toPrecision(4))
