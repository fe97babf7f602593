// Draws tables on a terminal: figures with their ratios next to them, or below them if the screen is narrow.
import { stripVTControlCharacters } from 'node:util'
import type { Colors } from 'picocolors/types.js'
import type { Cell, Table } from './tables.js'

export type Screen = { columns: number; colors: Colors }

/** From the widest on: ratios next to their figures or below them, and with their intervals. */
const LAYOUTS = [true, false].flatMap(wide => [true, false].map(interval => ({ wide, interval })))

export function drawTable(table: Table, { columns, colors }: Screen): string {
  const about = wrap(table.about, columns - 2).map(line => ` ${colors.dim(line)}`)
  const drawn = LAYOUTS.map(({ wide, interval }) => drawRows(table, wide, interval, colors))
  const fitting = drawn.find(text => text.split('\n').every(line => getWidth(line) <= columns)) ?? drawn.at(-1)!
  return [` ${colors.bold(table.title)}`, ...about, fitting].join('\n')
}

const getWidth = (text: string): number => stripVTControlCharacters(text).length

type Tint = (text: string) => string

/** How the text of a cell is coloured, and its ratio. */
const TINTS: Record<NonNullable<Cell['tone']>, (colors: Colors) => [Tint, Tint]> = {
  better: ({ green }) => [String, green],
  worse: ({ yellow }) => [String, yellow],
  failed: ({ red, dim }) => [red, dim],
  missing: ({ dim }) => [dim, dim],
}

function drawRows({ head, rows, words = [] }: Table, wide: boolean, withInterval: boolean, colors: Colors): string {
  const getLongest = (cells: readonly Cell[], part: 'text' | 'ratio' | 'interval'): number =>
    Math.max(0, ...cells.map(cell => cell[part]?.length ?? 0))
  const names = rows.map(([name]) => name!)
  const [longest, sizes] = [getLongest(names, 'text'), getLongest(names, 'ratio')]
  const intervals = getLongest(rows.flat(), 'interval')
  const gap = wide ? ' ' : '\n'
  const drawName = ({ text, ratio = '' }: Cell): string => {
    if (sizes === 0) return text
    return wide ? `${text.padEnd(longest)}  ${colors.dim(ratio.padStart(sizes))}` : `${text}\n${colors.dim(ratio)}`
  }
  const drawCell = ({ text, ratio, interval, tone }: Cell): string => {
    const [tint, shade] = tone ? TINTS[tone](colors) : [String, colors.dim]
    if (ratio === undefined) return tone === 'better' || tone === 'worse' ? shade(text) : tint(text)
    const bounds = withInterval && interval ? ` ${colors.dim(wide ? interval.padStart(intervals) : interval)}` : ''
    return `${tint(text)}${gap}${shade(wide ? ratio.padStart(6) : ratio)}${bounds}`
  }
  const heads = head.map(text => colors.dim(text.replaceAll(' ', gap)))
  const drawn = rows.map(([name, ...cells]) => [drawName(name!), ...cells.map(drawCell)])
  return alignColumns([heads, ...drawn], at => at === 0 || words.includes(at))
}

/** Separates columns by nothing but space. A cell can have several lines. */
function alignColumns(rows: readonly string[][], isLeft: (column: number) => boolean): string {
  const split = rows.map(cells => cells.map(cell => cell.split('\n')))
  const widths = rows[0]!.map((_, at) => Math.max(...split.flatMap(cells => cells[at]!.map(getWidth))))
  const pad = (text: string, at: number): string => {
    const space = ' '.repeat(widths[at]! - getWidth(text))
    return isLeft(at) ? text + space : space + text
  }
  const lines = split.flatMap(cells => {
    const height = Math.max(...cells.map(({ length }) => length))
    return Array.from({ length: height }, (_, line) => cells.map((texts, at) => pad(texts[line] ?? '', at)).join('  '))
  })
  return lines.flatMap(line => (line.trim() === '' ? [] : ` ${line.trimEnd()}`)).join('\n')
}

/** Breaks a text into lines between its words. */
export function wrap(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line !== '' && line.length + word.length >= width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}
