// Tables before they are drawn: the same rows and cells for a terminal and for Markdown.
import { formatBytes, formatFigure, formatRatio } from './format.js'
import type { Figure, Report, ScenarioReport } from './report.js'

export interface Cell {
  text: string
  /** Beside or below the text: a figure’s ratio to its reference; for the name of a row, its size. */
  ratio?: string
  tone?: 'better' | 'worse' | 'failed' | 'missing'
}

export interface Table {
  title: string
  about: string
  head: string[]
  /** The first cell of a row is its name. */
  rows: Cell[][]
}

/** From here on a difference is shown as one; below, it is within what a shared machine does by itself. */
const NOTABLE = 1.1

export const FAILED: Cell = { text: 'failed', tone: 'failed' }
export const MISSING: Cell = { text: '–', tone: 'missing' }

/** A figure with its ratio. The reference itself has none. */
export function figureCell(figure: Figure, isReference: boolean): Cell {
  const text = formatFigure(figure)
  if (isReference || figure.ratio === null) return { text }
  const worse = figure.better === 'lower' ? figure.ratio : 1 / figure.ratio
  const tone = worse > NOTABLE ? 'worse' : worse < 1 / NOTABLE ? 'better' : undefined
  return { text, ratio: formatRatio(figure.ratio), ...(tone && { tone }) }
}

/** One row for each arm, or one for each case, as the scenario asks for. */
export function scenarioTable(scenario: ScenarioReport): Table {
  const { title, about, arms, cases } = scenario
  if (scenario.rows === 'arms') {
    const head = cases.flatMap(one => figureTitles(one.results))
    const rows = arms.map(arm => [
      { text: arm.title },
      ...cases.flatMap(one => figureTitles(one.results).map((_, at) => cellOf(scenario, one.id, arm.id, at))),
    ])
    return { title, about, head: ['', ...head], rows }
  }
  const sized = new Set(cases.map(({ payloadBytes }) => payloadBytes)).size > 1
  const rows = cases.map(one => [
    { text: one.title, ...(sized && { ratio: formatBytes(one.payloadBytes) }) },
    ...arms.map(arm => cellOf(scenario, one.id, arm.id, 0)),
  ])
  return { title, about, head: ['', ...arms.map(arm => arm.title)], rows }
}

/** Every arm that failed, in words and in one line: in one case, or with one error in all of a scenario. */
export const failures = ({ scenarios }: Pick<Report, 'scenarios'>): string[] =>
  scenarios.flatMap(({ id, arms, cases }) =>
    arms.flatMap(arm => {
      const errors = cases.flatMap(one => {
        const error = one.results.find(result => result.arm === arm.id)?.error
        return error === undefined ? [] : [{ inCase: one.id, error: error.replaceAll(/\s+/g, ' ') }]
      })
      const everywhere = errors.length === cases.length && new Set(errors.map(({ error }) => error)).size === 1
      return (everywhere ? [{ ...errors[0]!, inCase: '*' }] : errors).map(
        ({ inCase, error }) => `${id}/${inCase}/${arm.id}: ${error}`,
      )
    }),
  )

const figureTitles = (results: { figures: Figure[] }[]): string[] =>
  (results.find(({ figures }) => figures.length > 0)?.figures ?? []).map(({ title }) => title)

function cellOf({ cases, reference }: ScenarioReport, caseId: string, armId: string, at: number): Cell {
  const result = cases.find(({ id }) => id === caseId)?.results.find(({ arm }) => arm === armId)
  if (result?.error !== undefined) return FAILED
  const figure = result?.figures[at]
  return figure ? figureCell(figure, armId === reference) : MISSING
}
