// Draws a table on a terminal: figures with their ratios next to them, or below them if the screen is narrow.
import { wrap } from '@sallyport/protocol/internal/command-line'
import { type Screen, TONES } from '#measure/screen'
import { stripVTControlCharacters } from 'node:util'
import { formatRound, keepUnits } from '../shared/text.js'
import type { Cell, Table } from './answers.js'

/** In a wide layout, ratios are next to their figures instead of below them. */
type Layout = { wide: boolean; intervals: boolean }
const LAYOUTS: Layout[] = [true, false].flatMap(wide => [true, false].map(intervals => ({ wide, intervals })))

export function toTerminal(table: Table, { columns, colors }: Screen): string {
  const { title, sentence, about } = table
  const said = sentence === undefined ? [] : wrap(sentence, columns - 2).map(line => ` ${line}`)
  const explained = wrap(about, columns - 2).map(line => ` ${colors.dim(line)}`)
  return [` ${colors.bold(title)}`, ...said, drawFitting(table, { columns, colors }), ...explained].join('\n')
}

/** Draws what the last screen of a run has of a table: fewer columns, one line a row. */
export function toFirst({ first = [], columns, rows }: Table, screen: Screen): string {
  const known = first.filter(at => rows.some(row => row[at]!.tone !== 'missing'))
  const take = <T>(cells: readonly T[]): T[] => known.map(at => cells[at]!)
  const shorten = ({ text, note = '', tone }: Cell): Cell => {
    if (text === 'not measurable' && note) return { text: formatRound(note) }
    return { text: note.endsWith(' %') ? `${text} (${note})` : text.replace('measurable ', ''), ...(tone && { tone }) }
  }
  return drawFitting(
    { title: '', about: '', columns: take(columns), rows: rows.map(row => take(row).map(shorten)) },
    screen,
  )
}

function drawFitting(table: Table, screen: Screen): string {
  const layouts = LAYOUTS.map(layout => drawRows(table, layout, screen.colors))
  const fitting = layouts.find(text => text.split('\n').every(line => getWidth(line) <= screen.columns))
  const middle = Math.ceil((table.columns.length + 1) / 2)
  if (fitting !== undefined || middle === table.columns.length) return fitting ?? layouts.at(-1)!
  // Each part has the names of the rows.
  const drawPart = (names: number, from: number, to?: number): string => {
    const take = <T>(cells: readonly T[]): T[] => [...cells.slice(0, 1), ...cells.slice(from, to)]
    return drawFitting(
      { ...table, columns: take(table.columns), rows: table.rows.map(row => take(row)), names },
      screen,
    )
  }
  return [drawPart(table.names ?? 1, 1, middle), drawPart(1, middle)].join('\n\n')
}

const getWidth = (text: string): number => stripVTControlCharacters(text).length

/** Longer lines are wrapped in a narrow layout. */
const [MOST_HEAD, MOST_WORDS] = [10, 14]

function drawRows({ columns, rows, names = 1 }: Table, { wide, intervals }: Layout, colors: Screen['colors']): string {
  const longestInterval = Math.max(0, ...rows.flat().map(({ interval = '' }) => interval.length))
  const gap = wide ? ' ' : '\n'
  const drawCell = ({ text, note, interval, tone }: Cell): string => {
    const tint = tone ? colors[TONES[tone]] : note === undefined ? String : colors.dim
    if (note === undefined) return wide ? tint(text) : wrap(text, MOST_WORDS).map(tint).join('\n')
    const bounds = intervals && interval ? ` ${colors.dim(wide ? interval.padStart(longestInterval) : interval)}` : ''
    return `${text}${gap}${tint(wide ? note.padStart(6) : note)}${bounds}`
  }
  // A colour ends with its line.
  const heads = columns.map((title, at) =>
    wrap(keepUnits(title), at < names ? MOST_WORDS : MOST_HEAD)
      .map(colors.dim)
      .join(gap),
  )
  const drawn = rows.map(([name, ...cells]) => [name!.text, ...cells.map(drawCell)])
  return alignColumns([heads, ...drawn], names)
}

/** @param names - the number of columns whose texts are on the left */
function alignColumns(rows: readonly string[][], names: number): string {
  const split = rows.map(cells => cells.map(cell => cell.split('\n')))
  const widths = rows[0]!.map((_, at) => Math.max(...split.flatMap(cells => cells[at]!.map(getWidth))))
  const pad = (text: string, at: number): string => {
    const space = ' '.repeat(widths[at]! - getWidth(text))
    return at < names ? text + space : space + text
  }
  const lines = split.flatMap(cells => {
    const height = Math.max(...cells.map(({ length }) => length))
    return Array.from({ length: height }, (_, line) => cells.map((texts, at) => pad(texts[line] ?? '', at)).join('  '))
  })
  return lines.flatMap(line => (line.trim() === '' ? [] : ` ${line.trimEnd()}`)).join('\n')
}
