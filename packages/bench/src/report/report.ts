// The report of a run, as schema/report.schema.json fixes its JSON. Every other form of it is a view of this one object.
import type { FigureKind, Scenario } from '../model/scenario.js'
import type { Machine } from '../run/machine.js'
import type { Estimate } from '../statistics/ratio.js'
import type { Goal } from './goals.js'

/** Grows with every change that a reader of the old form would stumble on. */
export const SCHEMA_VERSION = 4

/** The result of a benchmark run: the content of `report.json`. */
export interface Report {
  /** The version of the report's format. */
  schemaVersion: typeof SCHEMA_VERSION
  /** Name and version of the benchmark. */
  tool: { name: string; version: string }
  /** `quick` runs are shorter and less precise. */
  mode: 'quick' | 'full'
  /** The pattern that chose the scenarios; `null` for all of them. */
  filter: string | null
  /** ISO 8601, UTC. */
  startedAt: string
  /** Duration of the whole run in seconds. */
  seconds: number
  /** Some scenarios have a part of these rounds. */
  plan: { processes: number; rounds: number; slotMs: number }
  /** The computer that ran the benchmark. */
  machine: Machine
  /** The noise check; null if the run measured nothing twice. */
  noise: Noise | null
  /** The scenarios that ran, in their order. */
  scenarios: ScenarioReport[]
  /** Each goal that this run measured. */
  goals: GoalReport[]
}

/** Whether arms that were measured against themselves (A/A) agreed, and other programs left the CPU alone. */
export interface Noise {
  /** `too noisy`: one of the limits was exceeded, so that nothing is judged. */
  outcome: 'steady' | 'too noisy'
  /** How far from 1 a ratio can be, and its interval can reach, as factors above 1. */
  tolerance: number
  reach: number
  /** The part of the CPU time that other programs took during the run, 0 to 1, and its limit; null if unknown. */
  othersCpu: number | null
  othersLimit: number
  checks: NoiseCheck[]
}

export interface NoiseCheck extends Pick<Estimate, 'ratio' | 'interval'> {
  /** `scenario/case/arm/figure` of the second of the two. */
  figure: string
}

export interface GoalReport extends Goal {
  /** A ratio, or a difference in the figure's unit; null if one of the two figures is missing. */
  measured: number | null
  /** The 95 % interval of a ratio. */
  interval: [low: number, high: number] | null
  outcome: 'met' | 'missed' | 'too noisy'
}

export interface ScenarioReport extends Pick<Scenario, 'id' | 'title' | 'about' | 'rows'> {
  /** Id of the arm that ratios refer to. */
  reference: string
  /** Planned rounds, and those that were measured. */
  rounds: number
  measuredRounds: number
  /** Warm-ups and measurements whose arm was not stationary before their time ran out. */
  notStationary: number
  arms: ArmReport[]
  cases: CaseReport[]
}

export interface ArmReport {
  id: string
  /** With its version, if it is another library. */
  title: string
}

export interface CaseReport {
  id: string
  title: string
  payload: string
  /** The mean size of the payload, as JSON without white space. */
  payloadBytes: number
  results: Result[]
}

/** The figures of one arm in one case, or the error that it failed with. */
export interface Result {
  arm: string
  figures: Figure[]
  error?: string
}

export interface Figure extends FigureKind {
  /** The median of the processes' medians. */
  median: number
  /** The median of the rounds' own ratios to the reference; 1 for the reference itself, null without one. */
  ratio: number | null
  /** The 95 % interval of the ratio; null for the reference itself, and after a single round. */
  interval: [low: number, high: number] | null
  /** One value for each round of each fresh process, in order. */
  processes: number[][]
}

/** A figure, and its place in the report. */
export interface FigurePlace {
  /** `scenario/case/arm/figure` */
  path: string
  figure: Figure
  scenario: ScenarioReport
  inCase: CaseReport
  arm: ArmReport
}

export const everyFigure = ({ scenarios }: Pick<Report, 'scenarios'>): FigurePlace[] =>
  scenarios.flatMap(scenario =>
    scenario.cases.flatMap(inCase =>
      inCase.results.flatMap(({ arm: id, figures }) => {
        const arm = scenario.arms.find(arm => arm.id === id) ?? { id, title: id }
        return figures.map(figure => ({
          path: [scenario.id, inCase.id, id, figure.id].join('/'),
          figure,
          scenario,
          inCase,
          arm,
        }))
      }),
    ),
  )

/** Finds a figure by its path; `undefined` if the run did not measure it. */
export const findFigure = (report: Pick<Report, 'scenarios'>, path: string): Figure | undefined =>
  everyFigure(report).find(place => place.path === path)?.figure
