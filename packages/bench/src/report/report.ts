// The report: everything that a run measured, and nothing that it didn't. The terminal, Markdown and JSON are three views
// of this one object. Its JSON form is fixed by schema/report.schema.json, which the package ships.
import type { Goal } from '../goals.js'
import type { Carried } from '../model/scenario.js'
import type { FigureKind, Scenario } from '../model/scenario.js'
import type { Estimate } from '../statistics/ratio.js'
import type { Machine } from '../run/machine.js'

export type { Machine }

/** Grows with every change that a reader of the old form would stumble on. */
export const SCHEMA_VERSION = 2

export interface Report {
  schemaVersion: typeof SCHEMA_VERSION
  tool: { name: string; version: string }
  mode: 'quick' | 'full'
  /** The filter that the run was started with, or null. */
  filter: string | null
  /** ISO 8601, UTC. */
  startedAt: string
  seconds: number
  /** What was asked for; some scenarios have a part of the rounds. */
  plan: { processes: number; rounds: number; slotMs: number }
  machine: Machine
  /** What a comparison of something with itself gave; null where the run made none. */
  noise: Noise | null
  scenarios: ScenarioReport[]
  /** Where the time of the isolation pattern goes; empty where the run did not measure all that it takes. */
  isolationCost: CostStep[]
  /** Each goal that this run measured; empty where the filter asked for none. */
  goals: GoalReport[]
}

/** Can this run be believed? Told by arms that were measured against themselves (A/A). */
export interface Noise {
  /** `too noisy`: something differed from itself by more than a comparison may be wrong. Nothing is judged then. */
  outcome: 'steady' | 'too noisy'
  /** How far from 1 a check may be, as a factor above 1: from here on a difference is shown as one. */
  tolerance: number
  checks: NoiseCheck[]
}

export interface NoiseCheck extends Pick<Estimate, 'ratio' | 'interval'> {
  /** `scenario/case/arm/figure` of the second of the two. */
  figure: string
  /** As a factor above 1; null where one round can't tell. */
  smallestEffect: number | null
}

export interface GoalReport extends Omit<Goal, 'onlyReported'> {
  /** A ratio, or a difference in the figure's unit; null where one of the two figures is missing. */
  measured: number | null
  /** Of a ratio, what it lies between with 95 % confidence; null for a difference, and for what is missing. */
  interval: [low: number, high: number] | null
  outcome: 'met' | 'missed' | 'reported' | 'too noisy'
}

export interface ScenarioReport extends Pick<Scenario, 'id' | 'title' | 'about' | 'rows'> {
  /** Id of the arm that ratios refer to. */
  reference: string
  /** Rounds that were asked for, and those that were measured. */
  rounds: number
  measuredRounds: number
  arms: ArmReport[]
  cases: CaseReport[]
}

export interface ArmReport extends Carried {
  id: string
  /** With its version, where it is another library. */
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

/** What one arm did in one case: figures, or the error that it failed with. */
export interface Result {
  arm: string
  figures: Figure[]
  error?: string
}

export interface Figure extends FigureKind {
  /** The median of the processes' medians; the lowest and the highest round. */
  median: number
  low: number
  high: number
  /** Of the rounds' own ratios to the reference; 1 for the reference itself, null where it is missing. */
  ratio: number | null
  /** What the ratio lies between with 95 % confidence; null for the reference itself, and where one round, or none, can't tell. */
  interval: [low: number, high: number] | null
  /** The smallest change of the ratio that this run would have shown, as a factor above 1; null where one round can't tell. */
  smallestEffect: number | null
  /** For each fresh process one value for each round, in order. */
  processes: number[][]
}

/** One step from a call in the brownfield pattern to the same call in the isolation pattern, with JSON. */
export interface CostStep {
  id: 'brownfield' | 'hop-and-codec' | 'codec' | 'hop' | 'hook' | 'cipher' | 'isolation'
  title: string
  /** `whole` for the first and the last; the sum of the `step`s lies between them; a `part` belongs to the step above. */
  kind: 'whole' | 'step' | 'part'
  /** How the figures come from measured ones. */
  derivation: string
  /** What it takes or adds in a call that is alone, µs; null where it can't be told. */
  alone: number | null
  /** What it takes or adds for each call when 64 are in flight (1 / rate), µs; null where it can't be told. */
  pipelined: number | null
}

/** Finds one figure; `undefined` where the run did not measure it. */
export function findFigure(report: Pick<Report, 'scenarios'>, path: string): Figure | undefined {
  const [scenario, inCase, arm, figure] = path.split('/')
  return report.scenarios
    .find(({ id }) => id === scenario)
    ?.cases.find(({ id }) => id === inCase)
    ?.results.find(result => result.arm === arm)
    ?.figures.find(({ id }) => id === figure)
}

/** A figure, and where it stands. */
export interface FigurePlace {
  /** `scenario/case/arm/figure` */
  path: string
  figure: Figure
  scenario: ScenarioReport
  inCase: CaseReport
  arm: ArmReport
  /** The arm's title, and that of its reference. */
  title: string
  reference: string
}

/** Every figure of a report, in its order. */
export function everyFigure({ scenarios }: Pick<Report, 'scenarios'>): FigurePlace[] {
  return scenarios.flatMap(scenario => {
    const armOf = (id: string): ArmReport => scenario.arms.find(arm => arm.id === id) ?? { id, title: id }
    const reference = armOf(scenario.reference).title
    return scenario.cases.flatMap(inCase =>
      inCase.results.flatMap(({ arm: id, figures }) => {
        const arm = armOf(id)
        return figures.map(figure => ({
          path: [scenario.id, inCase.id, id, figure.id].join('/'),
          ...{ figure, scenario, inCase, arm, title: arm.title, reference },
        }))
      }),
    )
  })
}
