// The tables of a report, and its failures.
import * as text from '../shared/text.js'
import { NOISE } from '../scenarios/scenario.js'
import type { ArmReport, CaseReport, Figure, Report, ScenarioReport } from './report.js'
import { numbers, words, type Cell, type Table } from './table.js'
import { createJudge, getTone, type Judge } from './tone.js'

const FAILED: Cell = { text: 'failed', tone: 'failed' }
const MISSING: Cell = { text: '–', tone: 'missing' }

/** Returns the median or, if the figure depends on whether the threads are awake, its range. */
const formatMeasured = ({ median, range, unit }: Figure): string =>
  range ? text.formatRange(range, unit) : text.formatFigure({ median, unit })

/** A figure with its ratio. The reference has none. */
function figureCell(figure: Figure, isReference: boolean, judge: Judge): Cell {
  const { ratio, interval } = figure
  const tone = judge(figure)
  const cell = { text: formatMeasured(figure), figure, ...(tone && { tone }) }
  if (isReference || ratio === null) return cell
  return { ...cell, note: text.formatRatio(ratio), ...(interval && { interval: text.formatInterval(interval) }) }
}

/** Returns the figures that any arm has in a case, one of each kind, in their order. */
function getKinds({ results }: CaseReport): Figure[] {
  const figures = results.flatMap(result => result.figures)
  return [...new Set(figures.map(({ id }) => id))].map(id => figures.find(figure => figure.id === id)!)
}

/** Medians with their ratios: arms in rows and figures in columns, or the reverse if the scenario has a row for each case. */
export function scenarioTable(
  { title, about, arms, cases, reference, rows }: ScenarioReport,
  judge: Judge = getTone,
): Table {
  const figures = cases.flatMap(inCase =>
    getKinds(inCase).map((kind, _, { length }) => ({
      ...{ inCase, kind },
      name: length > 1 ? `${inCase.title}, ${kind.title}` : inCase.title,
    })),
  )
  const getCell = ({ inCase, kind }: (typeof figures)[number], arm: ArmReport): Cell => {
    const result = inCase.results.find(entry => entry.arm === arm.id)
    if (result?.error !== undefined) return FAILED
    const figure = result?.figures.find(entry => entry.id === kind.id)
    return figure ? figureCell(figure, arm.id === reference, judge) : MISSING
  }
  if (rows === 'cases')
    return {
      ...{ title, about },
      columns: [words(''), ...arms.map(arm => numbers(arm.title))],
      rows: figures.map(figure => [{ text: figure.name }, ...arms.map(arm => getCell(figure, arm))]),
    }
  return {
    ...{ title, about },
    columns: [words(''), ...figures.map(({ kind }) => numbers(kind.title))],
    rows: arms.map(arm => [{ text: arm.title }, ...figures.map(figure => getCell(figure, arm))]),
  }
}

/** Read first. The noise check is read last. */
const FIRST = 'formats'

/** Returns all scenarios with their tables, in the order in which to read them. */
export function getTables(report: Report): { scenario: ScenarioReport; table: Table }[] {
  const judge = createJudge(report)
  const getRank = ({ id }: ScenarioReport): number => (id === FIRST ? 0 : id === NOISE ? 2 : 1)
  return report.scenarios
    .toSorted((a, b) => getRank(a) - getRank(b))
    .map(scenario => ({ scenario, table: scenarioTable(scenario, judge) }))
}

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
