// A table before it is drawn, which terminal, Markdown and page show alike. An answer is a table with a sentence.
import { getSpread } from '../shared/statistics.js'
import * as text from '../shared/text.js'
import { NOISE } from '../scenarios/scenario.js'
import type { ArmReport, CaseReport, Figure, Report, ScenarioReport } from './report.js'
import { createJudge, isTooNoisy, type Judge, type Tone } from './verdict.js'

export interface Cell {
  text: string
  /** Next to or below the text: the ratio of a figure to its reference. */
  note?: string
  /** The interval of the ratio, which is left out if the screen is narrow. */
  interval?: string
  tone?: Tone
  /** The figure that the text shows. */
  figure?: Figure
}

interface Column {
  title: string
  align: 'left' | 'right'
}

export interface Table {
  title: string
  /** What the figures say. A run that failed its noise check says nothing. */
  sentence?: string
  about: string
  /** The first column contains the names of the rows. */
  columns: readonly Column[]
  rows: Cell[][]
}

export const words = (title: string): Column => ({ title, align: 'left' })
export const numbers = (title: string): Column => ({ title, align: 'right' })

export const MISSING: Cell = { text: '–', tone: 'missing' }
const FAILED: Cell = { text: 'failed', tone: 'failed' }

/** Draws the figures of one run: to three digits with their ratios, or as ranges if the machine was too noisy. */
export class Cells {
  readonly isNoisy: boolean
  readonly judge: Judge

  constructor(report: Pick<Report, 'noise' | 'mode'>) {
    this.isNoisy = isTooNoisy(report)
    this.judge = createJudge(report)
  }

  /** The median, or a range: of a noisy run, and of a figure that depends on whether the threads are awake. */
  format({ median, range, unit, processes }: Figure): string {
    if (this.isNoisy) return text.formatRange(getSpread(processes), unit)
    return range ? text.formatRange(range, unit) : text.formatFigure({ median, unit })
  }

  /** A figure with its ratio. The reference has none. */
  draw(figure: Figure | undefined, isReference = false): Cell {
    if (!figure) return MISSING
    const { ratio, interval, bimodal } = figure
    const cell: Cell = { text: this.format(figure), figure }
    if (isReference || ratio === null || this.isNoisy) return cell
    const tone = ({ slower: 'worse', faster: 'better', same: undefined, unclear: undefined } as const)[
      this.judge(figure)
    ]
    if (tone) cell.tone = tone
    if (bimodal) cell.tone = 'unclear'
    cell.note = text.formatRatio(ratio)
    if (interval) cell.interval = text.formatInterval(interval)
    return cell
  }
}

/** Returns the figures that any arm has in a case, one of each kind, in their order. */
function getKinds({ results }: CaseReport): Figure[] {
  const figures = results.flatMap(result => result.figures)
  return [...new Set(figures.map(({ id }) => id))].map(id => figures.find(figure => figure.id === id)!)
}

/** Medians with their ratios: arms in rows and figures in columns, or the reverse if the scenario has a row for each case. */
export function scenarioTable({ title, about, arms, cases, reference, rows }: ScenarioReport, cells: Cells): Table {
  const figures = cases.flatMap(inCase =>
    getKinds(inCase).map((kind, _, { length }) => ({
      ...{ inCase, kind },
      name: length > 1 ? `${inCase.title}, ${kind.title}` : inCase.title,
    })),
  )
  const getCell = ({ inCase, kind }: (typeof figures)[number], arm: ArmReport): Cell => {
    const result = inCase.results.find(entry => entry.arm === arm.id)
    if (result?.error !== undefined) return FAILED
    return cells.draw(
      result?.figures.find(entry => entry.id === kind.id),
      arm.id === reference,
    )
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

/** Returns all scenarios with their tables. The noise check is read last. */
export function getTables(report: Report): { scenario: ScenarioReport; table: Table }[] {
  const cells = new Cells(report)
  const getRank = ({ id }: ScenarioReport): number => Number(id === NOISE)
  return report.scenarios
    .toSorted((a, b) => getRank(a) - getRank(b))
    .map(scenario => ({ scenario, table: scenarioTable(scenario, cells) }))
}
