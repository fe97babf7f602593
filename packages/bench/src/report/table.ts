// Tables before they are drawn: the same rows and cells for a terminal and for Markdown.
import { formatBytes, formatFigure, formatInterval, formatRatio, formatSpread } from './format.js'
import type { ArmReport, Figure, Report, ScenarioReport } from './report.js'

export interface Cell {
  text: string
  /** Beside or below the text: a figure’s ratio to its reference; for the name of a row, its size. */
  ratio?: string
  /** How far the interval of the ratio reaches: `±3 %`. */
  spread?: string
  /** The interval itself, where there is more room: `1.20–1.27×`. */
  interval?: string
  tone?: 'better' | 'worse' | 'failed' | 'missing'
}

export interface Table {
  title: string
  about: string
  head: string[]
  /** The first cell of a row is its name. */
  rows: Cell[][]
  /** Columns with words, beside the first. */
  words?: readonly number[]
}

/** From here on a difference is shown as one; below, it is within what a shared machine does by itself. */
export const NOTABLE = 1.1

export const FAILED: Cell = { text: 'failed', tone: 'failed' }
export const MISSING: Cell = { text: '–', tone: 'missing' }

/** A figure with its ratio. The reference itself has none. */
export function figureCell(figure: Figure, isReference: boolean): Cell {
  const text = formatFigure(figure)
  if (isReference || figure.ratio === null) return { text }
  const { ratio, interval } = figure
  const tone = toneOf(figure)
  return {
    text,
    ratio: formatRatio(ratio),
    ...(interval && { spread: formatSpread(ratio, interval), interval: formatInterval(interval) }),
    ...(tone && { tone }),
  }
}

/** Better or worse than the reference by more than a tenth, and so that the interval leaves no doubt which. */
export function toneOf({ ratio, interval, better }: Figure): 'better' | 'worse' | undefined {
  if (ratio === null || (interval && interval[0] <= 1 && interval[1] >= 1)) return undefined
  const worse = better === 'lower' ? ratio : 1 / ratio
  return worse > NOTABLE ? 'worse' : worse < 1 / NOTABLE ? 'better' : undefined
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

const said = (words: readonly string[]): Cell => (words.length > 0 ? { text: words.join(', ') } : MISSING)

const carriedCells = ({ carries, checks }: ArmReport): Cell[] => [
  carries === undefined ? MISSING : { text: carries },
  said(checks ?? []),
]

/** A table with a row for each arm, and with columns for what they carry and check where one of them says so. */
export function withCarried(table: Table, { arms, rows }: ScenarioReport): Table {
  if (rows !== 'arms' || !arms.some(saysMore)) return table
  const { length } = table.head
  return {
    ...table,
    head: [...table.head, 'carries', 'checks'],
    rows: table.rows.map((cells, at) => [...cells, ...carriedCells(arms[at]!)]),
    words: [length, length + 1],
  }
}

/** What each arm of the run carries and checks, once; `undefined` where none says so. */
export function carriedTable({ scenarios }: Pick<Report, 'scenarios'>): Table | undefined {
  const arms = new Map(scenarios.flatMap(scenario => scenario.arms.filter(saysMore)).map(arm => [arm.id, arm]))
  if (arms.size === 0) return undefined
  return {
    title: 'What each carries and checks',
    about: 'Compare like with like: text or structured clone, and what is checked on the way.',
    head: ['', 'carries', 'checks'],
    rows: [...arms.values()].map(arm => [{ text: arm.title }, ...carriedCells(arm)]),
    words: [1, 2],
  }
}

const saysMore = ({ carries, checks }: ArmReport): boolean => carries !== undefined || (checks?.length ?? 0) > 0

export interface Failure {
  scenario: string
  /** `*` where it failed with one error in all cases of the scenario. */
  inCase: string
  arm: string
  /** In one line. */
  error: string
}

/** Every arm that failed: in one case, or with one error in all of a scenario. */
export const failuresOf = ({ scenarios }: Pick<Report, 'scenarios'>): Failure[] =>
  scenarios.flatMap(({ id: scenario, arms, cases }) =>
    arms.flatMap(({ id: arm }) => {
      const errors = cases.flatMap(({ id: inCase, results }): Failure[] => {
        const error = results.find(result => result.arm === arm)?.error
        return error === undefined ? [] : [{ scenario, inCase, arm, error: error.replaceAll(/\s+/g, ' ') }]
      })
      const everywhere = errors.length === cases.length && new Set(errors.map(({ error }) => error)).size === 1
      return everywhere ? [{ ...errors[0]!, inCase: '*' }] : errors
    }),
  )

/** The same in words. */
export const failures = (report: Pick<Report, 'scenarios'>): string[] =>
  failuresOf(report).map(({ scenario, inCase, arm, error }) => `${scenario}/${inCase}/${arm}: ${error}`)

const figureTitles = (results: { figures: Figure[] }[]): string[] =>
  shown(results.find(({ figures }) => figures.length > 0)?.figures).map(({ title }) => title)

const shown = (figures: readonly Figure[] = []): Figure[] => figures.filter(({ aside }) => !aside)

function cellOf({ cases, reference }: ScenarioReport, caseId: string, armId: string, at: number): Cell {
  const result = cases.find(({ id }) => id === caseId)?.results.find(({ arm }) => arm === armId)
  if (result?.error !== undefined) return FAILED
  const figure = shown(result?.figures)[at]
  return figure ? figureCell(figure, armId === reference) : MISSING
}
