// Makes the report of a run: the machine, medians over the rounds, ratios to the reference round by round, and what follows from them.
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'
import { payloadBytes } from '../payloads/payloads.js'
import { getRounds, type Plan } from '../run/plan.js'
import type { Cell, Outcome } from '../run/run.js'
import { NOISE } from '../model/scenario.js'
import { plain, short } from '../shared/text.js'
import { medianOfMedians } from '../statistics/median.js'
import { estimateRatio } from '../statistics/ratio.js'
import { GOALS } from './goals.js'
import { findFigure, SCHEMA_VERSION, type CaseReport, type Figure, type GoalReport } from './report.js'
import type { Noise, NoiseCheck, Report, ScenarioReport } from './report.js'

/** From this factor on a difference is shown as one; a smaller one is within what a shared machine does by itself. */
export const NOTABLE = 1.1

/** How far the interval of an arm's ratio to itself may reach, as a factor. */
const REACH = 1.25

/** The part of the CPU time that other programs may take. */
const OTHERS_LIMIT = 0.1

export interface RunFacts extends Pick<Report, 'tool' | 'filter' | 'seconds' | 'machine'> {
  plan: Plan
  startedAt: Date
}

export function buildReport(outcomes: readonly Outcome[], facts: RunFacts): Report {
  const { tool, filter, plan, machine, startedAt, seconds } = facts
  const scenarios = outcomes.map(outcome => scenarioReport(outcome, plan))
  const noise = judgeNoise(scenarios, getOthersCpu(outcomes))
  return {
    schemaVersion: SCHEMA_VERSION,
    tool,
    mode: plan.mode,
    filter,
    startedAt: startedAt.toISOString(),
    seconds: short(seconds),
    plan: { processes: plan.processes, rounds: plan.rounds, slotMs: plan.slotMs },
    machine,
    noise,
    scenarios,
    goals: judgeGoals({ scenarios, noise }),
  }
}

/** The part of a report that is known as soon as a scenario is done. */
export function scenarioReport({ scenario, cells }: Outcome, plan: Plan): ScenarioReport {
  const { id, title, about, rows, arms, cases } = scenario
  return {
    id,
    title,
    about,
    rows,
    reference: arms[0].id,
    rounds: getRounds(plan, scenario) * plan.processes,
    measuredRounds: Math.ceil(
      Math.max(...cells.map(({ inCase, processes }) => processes.flat().length / (inCase.repeats ?? 1))),
    ),
    notStationary:
      cells.reduce((sum, { coldStarts = 0 }) => sum + coldStarts, 0) +
      cells.flatMap(({ processes }) => processes.flat()).filter(({ stationary }) => stationary === 0).length,
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

/** By process and round, so that each value stays next to its reference: `NaN` if this was not measured. */
const getValues = ({ processes }: Cell, id: string): number[][] =>
  processes.map(rounds => rounds.map(figures => figures[id] ?? NaN))

/** The figures of a case, in their order, without those that the arm did not measure. */
const getFigures = (cell: Cell, reference: Cell | undefined): Figure[] =>
  cell.inCase.figures.flatMap((kind): Figure[] => {
    const measured = getValues(cell, kind.id)
    const numbers = measured.map(rounds => rounds.filter(value => !Number.isNaN(value)))
    const processes = numbers.filter(({ length }) => length > 0)
    if (processes.length === 0) return []
    const estimate = reference ? estimateRatio(measured, getValues(reference, kind.id)) : null
    // A single round says nothing about the next.
    const known = estimate !== null && cell !== reference && measured.flat().length > 1
    return [
      {
        ...kind,
        median: short(medianOfMedians(processes)),
        ratio: estimate && short(estimate.ratio),
        interval: known ? shortPair(estimate.interval) : null,
        processes: processes.map(rounds => rounds.map(short)),
      },
    ]
  })

const shortPair = ([low, high]: readonly [number, number]): [number, number] => [short(low), short(high)]

/** Returns the part of the CPU time that other programs took, as far as it is known. */
function getOthersCpu(outcomes: readonly Outcome[]): number | null {
  const known = outcomes.flatMap(({ cpu }) => cpu ?? [])
  const [others, total] = [known.map(cpu => cpu.others), known.map(cpu => cpu.total)].map(each =>
    each.reduce((sum, ms) => sum + ms, 0),
  )
  return total ? short(others! / total) : null
}

/** Judges the arms that were measured twice: null if the run has none, or one of them failed. */
function judgeNoise(scenarios: readonly ScenarioReport[], othersCpu: number | null): Noise | null {
  const cases = scenarios.find(({ id }) => id === NOISE)?.cases ?? []
  const checks = cases.flatMap(({ id: inCase, results }) =>
    results.flatMap(({ arm, figures: [again] }): NoiseCheck[] => {
      const first = results.find(other => `${other.arm}-again` === arm)?.figures[0]
      const estimate = again && first && estimateRatio(again.processes, first.processes)
      if (!estimate) return []
      const [ratio, interval] = [short(estimate.ratio), shortPair(estimate.interval)]
      return [{ figure: [NOISE, inCase, arm, again.id].join('/'), ratio, interval }]
    }),
  )
  if (checks.length === 0) return null
  const isNoisy = checks.some(({ ratio, interval: [low, high] }) => {
    const isOff = ratio > NOTABLE || ratio < 1 / NOTABLE
    return isOff || high > REACH || low < 1 / REACH
  })
  const outcome = isNoisy || (othersCpu ?? 0) > OTHERS_LIMIT ? 'too noisy' : 'steady'
  return { outcome, tolerance: NOTABLE, reach: REACH, othersCpu, othersLimit: OTHERS_LIMIT, checks }
}

/** The goals whose figures the run was asked for. A goal whose arm failed has no measured value, and is missed. */
export function judgeGoals(report: Pick<Report, 'scenarios' | 'noise'>): GoalReport[] {
  const isPlanned = (path: string): boolean => {
    const [scenario, inCase, arm] = path.split('/')
    const found = report.scenarios.find(({ id }) => id === scenario)
    return found?.cases.some(({ id }) => id === inCase) === true && found.arms.some(({ id }) => id === arm)
  }
  const planned = GOALS.filter(({ figure, against }) => isPlanned(figure) && isPlanned(against))
  return planned.map(goal => {
    const [figure = [], against = []] = [goal.figure, goal.against].map(path => findFigure(report, path)?.processes)
    const estimate = goal.compare === 'ratio' ? estimateRatio(figure, against) : null
    const differences = figure.map((rounds, process) =>
      rounds.map((value, round) => value - (against[process]?.[round] ?? NaN)),
    )
    const value =
      estimate?.ratio ??
      { ratio: NaN, difference: medianOfMedians(differences), bytes: medianOfMedians(figure) }[goal.compare]
    const measured = Number.isNaN(value) ? null : short(value)
    const met = measured !== null && (goal.bound === 'at most' ? measured <= goal.goal : measured >= goal.goal)
    const judged = report.noise?.outcome === 'too noisy' ? 'too noisy' : met ? 'met' : 'missed'
    const interval = estimate && shortPair(estimate.interval)
    return { ...goal, measured, interval, outcome: judged }
  })
}

export const readLoad = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100

/** Describes this machine before a run. The caller replaces `loadAfter` after it. */
export const readMachine = (): Report['machine'] => ({
  cpu: cpus()[0]?.model.trim() || 'unknown CPU',
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  ...{ platform: platform(), release: release(), arch: arch(), node: process.version },
  ...{ loadBefore: readLoad(), loadAfter: readLoad() },
})
