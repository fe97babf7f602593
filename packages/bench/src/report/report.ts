// The report of a run, as schema/report.schema.json fixes its JSON. Every other form of it is a view of this one object.
import type { Machine } from '#measure/machine'

/** Version of the file's format. Increases with each change that breaks readers of the previous version. */
export const SCHEMA_VERSION = 11

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
  /** The part of the CPU time that other programs took while threads were measured, 0 to 1; null if unknown. */
  othersCpu: number | null
  /** The scenarios that ran, in their order. */
  scenarios: {
    id: string
    title: string
    /** One sentence: what is measured, and what the reference is. */
    about: string
    /** Whether its table has one row for each arm or for each case. */
    rows: 'arms' | 'cases'
    /** Id of the arm that ratios refer to. */
    reference: string
    /** Rounds that were measured; of one payload, there can be fewer. */
    rounds: number
    /** What ended the rounds: their number, intervals that are narrow enough, or the time. */
    ended: 'rounds' | 'intervals' | 'time'
    /** The title has the version, if the arm is another library. An arm `…-again` is the reference, opened and measured a second time. */
    arms: { id: string; title: string }[]
    /** `payloadBytes` is the mean size of the payload, as JSON without white space. */
    cases: {
      id: string
      title: string
      payload: string
      payloadBytes: number
      /** The figures of each arm, or the error that it failed with. */
      results: {
        arm: string
        error?: string
        figures: {
          id: string
          title: string
          /** `B` are bytes of memory; the empty string is a plain number. */
          unit: 'µs' | '/s' | 'B' | ''
          better: 'lower' | 'higher'
          /** Eight of ten rounds, if they differ by more than half: shown in place of the median. */
          range?: [low: number, high: number]
          /** The median of the processes' medians. */
          median: number
          /** The median of the rounds' own ratios to the reference; 1 for the reference itself, null without one. */
          ratio: number | null
          /** The 95 % interval of the ratio; null for the reference itself, and of fewer than six rounds. */
          interval: [low: number, high: number] | null
          /** One value for each round of each fresh process, in order. */
          processes: number[][]
        }[]
      }[]
    }[]
  }[]
}

export type ScenarioReport = Report['scenarios'][number]
export type CaseReport = ScenarioReport['cases'][number]
export type Figure = CaseReport['results'][number]['figures'][number]

/** Returns all figures with their paths, `scenario/case/arm/figure`. */
export const everyFigure = ({ scenarios }: Pick<Report, 'scenarios'>): { path: string; figure: Figure }[] =>
  scenarios.flatMap(scenario =>
    scenario.cases.flatMap(({ id, results }) =>
      results.flatMap(({ arm, figures }) =>
        figures.map(figure => ({ path: [scenario.id, id, arm, figure.id].join('/'), figure })),
      ),
    ),
  )

/** Finds a figure by its path; `undefined` if the run did not measure it. */
export const findFigure = (report: Pick<Report, 'scenarios'>, path: string): Figure | undefined =>
  everyFigure(report).find(place => place.path === path)?.figure

/** Lists the arms that failed, with the case and the error. The case is `*` if the arm failed with one error in all of a scenario. */
export const getFailures = ({ scenarios }: Pick<Report, 'scenarios'>): string[] =>
  scenarios.flatMap(({ id: scenario, arms, cases }) =>
    arms.flatMap(({ id: arm }) => {
      const failed = cases.flatMap(({ id, results }) => {
        const error = results.find(result => result.arm === arm)?.error
        return error === undefined ? [] : [{ id, error: error.replaceAll(/\s+/g, ' ') }]
      })
      const everywhere = failed.length === cases.length && new Set(failed.map(({ error }) => error)).size === 1
      const shown = everywhere ? [{ ...failed[0]!, id: '*' }] : failed
      return shown.map(({ id, error }) => `${scenario}/${id}/${arm}: ${error}`)
    }),
  )
