// Draws tables on a terminal: figures with their ratios next to them, or below them if the screen is narrow.
import { stripVTControlCharacters } from 'node:util'
import type { Colors } from 'picocolors/types.js'
import type { Cell, Table } from './tables.js'

export interface Screen {
  columns: number
  colors: Colors
}

interface Layout {
  /** Ratios stand next to their figures, otherwise below them. */
  wide: boolean
  /** How far the interval of a ratio reaches is shown, too. */
  spread: boolean
}

/** From the widest on. */
const LAYOUTS: readonly Layout[] = [
  { wide: true, spread: true },
  { wide: true, spread: false },
  { wide: false, spread: true },
  { wide: false, spread: false },
]

export function drawTable(table: Table, { columns, colors }: Screen): string {
  const about = wrap(table.about, columns - 2).map(line => ` ${colors.dim(line)}`)
  const drawn = LAYOUTS.map(layout => drawRows(table, layout, colors))
  const fitting = drawn.find(text => text.split('\n').every(line => getWidth(line) <= columns)) ?? drawn.at(-1)!
  return [` ${colors.bold(table.title)}`, ...about, fitting].join('\n')
}

const getWidth = (text: string): number => stripVTControlCharacters(text).length

function drawRows({ head, rows, words = [] }: Table, { wide, spread }: Layout, colors: Colors): string {
  const longest = (of: readonly (string | undefined)[]): number => Math.max(0, ...of.map(text => text?.length ?? 0))
  const [spreads, names, sizes] = [
    longest(rows.flat().map(cell => cell.spread)),
    longest(rows.map(([name]) => name?.text)),
    longest(rows.map(([name]) => name?.ratio)),
  ]
  const drawName = ({ text, ratio = '' }: Cell): string =>
    sizes === 0
      ? text
      : wide
        ? `${text.padEnd(names)}  ${colors.dim(ratio.padStart(sizes))}`
        : `${text}\n${colors.dim(ratio)}`
  const drawCell = ({ text, ratio, spread: reach, tone }: Cell): string => {
    const [tint, shade] = tone ? TINTS[tone](colors) : [String, colors.dim]
    if (ratio === undefined) return tone === 'better' || tone === 'worse' ? shade(text) : tint(text)
    const shownReach = spread && reach !== undefined ? ` ${colors.dim(wide ? reach.padStart(spreads) : reach)}` : ''
    return `${tint(text)}${wide ? ' ' : '\n'}${shade(wide ? ratio.padStart(6) : ratio)}${shownReach}`
  }
  const drawn = rows.map(([name, ...cells]) => [drawName(name!), ...cells.map(drawCell)])
  const heads = head.map(text => colors.dim(wide ? text : text.replace(' ', '\n')))
  return alignColumns([heads, ...drawn], at => at === 0 || words.includes(at))
}

type Tint = (text: string) => string

/** How a cell is coloured, and its ratio. */
const TINTS: Record<NonNullable<Cell['tone']>, (colors: Colors) => [Tint, Tint]> = {
  better: ({ green }) => [String, green],
  worse: ({ yellow }) => [String, yellow],
  failed: ({ red, dim }) => [red, dim],
  missing: ({ dim }) => [dim, dim],
}

/** Separates columns by nothing but space. A cell can have several lines. */
function alignColumns(rows: readonly string[][], isLeft: (column: number) => boolean): string {
  const split = rows.map(cells => cells.map(cell => cell.split('\n')))
  const widths = rows[0]!.map((_, at) => Math.max(...split.flatMap(cells => cells[at]!.map(getWidth))))
  const pad = (text: string, at: number): string => {
    const space = ' '.repeat(widths[at]! - getWidth(text))
    return isLeft(at) ? text + space : space + text
  }
  return split
    .flatMap(cells =>
      Array.from({ length: Math.max(...cells.map(({ length }) => length)) }, (_, line) =>
        ` ${cells.map((lines, at) => pad(lines[line] ?? '', at)).join('  ')}`.trimEnd(),
      ),
    )
    .filter(Boolean)
    .join('\n')
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
