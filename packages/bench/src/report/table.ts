// A table before it is drawn: the terminal, Markdown and the page show the same columns, rows and cells.
import type { Figure } from './report.js'
import type { Tone } from './tone.js'

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

export interface Column {
  title: string
  align: 'left' | 'right'
}

export interface Table {
  title: string
  about: string
  /** The first column contains the names of the rows. */
  columns: readonly Column[]
  rows: Cell[][]
}

export const words = (title: string): Column => ({ title, align: 'left' })
export const numbers = (title: string): Column => ({ title, align: 'right' })
