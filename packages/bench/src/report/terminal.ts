// Draws a table on a terminal: figures with their ratios next to them, or below them if the screen is narrow.
import { stripVTControlCharacters } from 'node:util'
import type { Colors } from 'picocolors/types.js'
import { keepUnits } from '../shared/text.js'
import type { Cell, Table } from './answers.js'
import { TONES } from './verdict.js'

export type Screen = { columns: number; colors: Colors }

/** In a wide layout, ratios are next to their figures instead of below them. */
type Layout = { wide: boolean; intervals: boolean }
const LAYOUTS: Layout[] = [true, false].flatMap(wide => [true, false].map(intervals => ({ wide, intervals })))

export function toTerminal(table: Table, { columns, colors }: Screen): string {
  const { title, sentence, about } = table
  const said = sentence === undefined ? [] : wrap(sentence, columns - 2).map(line => ` ${line}`)
  const explained = wrap(about, columns - 2).map(line => ` ${colors.dim(line)}`)
  return [` ${colors.bold(title)}`, ...said, drawFitting(table, { columns, colors }), ...explained].join('\n')
}

function drawFitting(table: Table, screen: Screen): string {
  const layouts = LAYOUTS.map(layout => drawRows(table, layout, screen.colors))
  const fitting = layouts.find(text => text.split('\n').every(line => getWidth(line) <= screen.columns))
  const middle = Math.ceil((table.columns.length + 1) / 2)
  if (fitting !== undefined || middle === table.columns.length) return fitting ?? layouts.at(-1)!
  // Each part has the names of the rows.
  const toParts = <T>([name, ...others]: readonly T[]): [T[], T[]] => [
    [name!, ...others.slice(0, middle - 1)],
    [name!, ...others.slice(middle - 1)],
  ]
  const [columns, rows] = [toParts(table.columns), table.rows.map(toParts)]
  return [0, 1]
    .map(part => drawFitting({ ...table, columns: columns[part]!, rows: rows.map(parts => parts[part]!) }, screen))
    .join('\n\n')
}

const getWidth = (text: string): number => stripVTControlCharacters(text).length

function drawRows({ columns, rows }: Table, { wide, intervals }: Layout, colors: Colors): string {
  const longestInterval = Math.max(0, ...rows.flat().map(({ interval = '' }) => interval.length))
  const gap = wide ? ' ' : '\n'
  const drawCell = ({ text, note, interval, tone }: Cell): string => {
    const tint = tone ? colors[TONES[tone]] : note === undefined ? String : colors.dim
    if (note === undefined) return tint(text)
    const bounds = intervals && interval ? ` ${colors.dim(wide ? interval.padStart(longestInterval) : interval)}` : ''
    return `${text}${gap}${tint(wide ? note.padStart(6) : note)}${bounds}`
  }
  // A colour ends with its line.
  const heads = columns.map(title => keepUnits(title).split(' ').map(colors.dim).join(gap))
  const drawn = rows.map(([name, ...cells]) => [name!.text, ...cells.map(drawCell)])
  return alignColumns([heads, ...drawn])
}

/** The names of the rows are on the left. */
function alignColumns(rows: readonly string[][]): string {
  const split = rows.map(cells => cells.map(cell => cell.split('\n')))
  const widths = rows[0]!.map((_, at) => Math.max(...split.flatMap(cells => cells[at]!.map(getWidth))))
  const pad = (text: string, at: number): string => {
    const space = ' '.repeat(widths[at]! - getWidth(text))
    return at === 0 ? text + space : space + text
  }
  const lines = split.flatMap(cells => {
    const height = Math.max(...cells.map(({ length }) => length))
    return Array.from({ length: height }, (_, line) => cells.map((texts, at) => pad(texts[line] ?? '', at)).join('  '))
  })
  return lines.flatMap(line => (line.trim() === '' ? [] : ` ${line.trimEnd()}`)).join('\n')
}

export function wrap(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line !== '' && line.length + word.length >= width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}
