// The report on a terminal: figures with their ratios beside them, or below where the screen is narrow.
import { stripVTControlCharacters } from 'node:util'
import Table3 from 'cli-table3'
import type { Colors } from 'picocolors/types.js'
import { duration } from './format.js'
import type { CostStep } from './report.js'
import type { Cell, Table } from './table.js'

export interface Screen {
  columns: number
  colors: Colors
}

export function drawTable(table: Table, { columns, colors }: Screen): string {
  const about = wrap(table.about, columns - 2).map(line => ` ${colors.dim(line)}`)
  const fits = (drawn: string): boolean =>
    drawn.split('\n').every(line => stripVTControlCharacters(line).length <= columns)
  const drawn = LAYOUTS.map(layout => drawRows(table, layout, colors))
  return [` ${colors.bold(table.title)}`, ...about, drawn.find(fits) ?? drawn.at(-1)!].join('\n')
}

/** The ratios with their intervals, beside their figures or below them; without, where the screen is too narrow. */
const LAYOUTS = [
  { beside: true, spread: true },
  { beside: true, spread: false },
  { beside: false, spread: true },
  { beside: false, spread: false },
] as const

type Layout = (typeof LAYOUTS)[number]

function drawRows({ head, rows, words }: Table, layout: Layout, colors: Colors): string {
  const names = drawNames(rows, layout.beside, colors)
  const widest = Math.max(0, ...rows.flat().map(({ spread }) => spread?.length ?? 0))
  const drawn = rows.map(([, ...cells], at) => [
    names[at]!,
    ...cells.map(cell => drawCell(cell, layout, widest, colors)),
  ])
  const aligns = head.map((_, at) => (at === 0 || words?.includes(at) ? 'left' : 'right'))
  return grid(layout.beside ? head : head.map(twoLines), drawn, colors, aligns)
}

const BAR = '█'

/** The steps of the isolation pattern, each with a bar as long as its part of the whole. */
export function drawCost(steps: readonly CostStep[], { columns, colors }: Screen): string {
  const total = Math.max(...steps.map(({ alone }) => alone ?? 0))
  const room = columns >= 100 ? 40 : 20
  const sign = { whole: '', step: '+ ', part: '    ' } as const
  const time = (us: number | null): string => (us === null ? '–' : duration(us))
  const rows = steps.map(({ title, kind, alone, pipelined }) => {
    const bar = BAR.repeat(Math.max(0, Math.round(((alone ?? 0) / total) * room)))
    const tint = kind === 'whole' ? colors.cyan : kind === 'step' ? colors.yellow : colors.dim
    const cells = [`${sign[kind]}${title}`, time(alone), time(pipelined), tint(bar)]
    return kind === 'part' ? cells.map(colors.dim) : cells
  })
  return [
    ` ${colors.bold('What isolation costs')}${colors.dim(', JSON')}`,
    grid(['', 'a call alone', 'each of 64', ''], rows, colors, ['left', 'right', 'right', 'left']),
  ].join('\n')
}

type Alignment = 'left' | 'right'

/** Every place where cli-table3 would draw a border. */
const BORDERS = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
  .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
  .map(place => [place, ''] as const)

/** Columns with nothing but space between them. */
function grid(
  head: readonly string[],
  rows: readonly string[][],
  colors: Colors,
  aligns: readonly Alignment[] = head.map((_, at) => (at === 0 ? 'left' : 'right')),
): string {
  const table = new Table3({
    chars: Object.fromEntries(BORDERS),
    colAligns: [...aligns],
    style: { head: [], border: [], 'padding-left': 1, 'padding-right': 1 },
  })
  table.push(
    head.map(text => colors.dim(text)),
    ...rows,
  )
  const lines = table.toString().split('\n')
  return lines
    .map(line => line.trimEnd())
    .filter(Boolean)
    .join('\n')
}

function drawCell({ text, ratio, spread, tone }: Cell, layout: Layout, widest: number, colors: Colors): string {
  const { beside } = layout
  const tint = tone === 'failed' ? colors.red : tone === 'missing' ? colors.dim : (value: string): string => value
  const shade = tone === 'better' ? colors.green : tone === 'worse' ? colors.yellow : colors.dim
  if (ratio === undefined) return tone === 'better' || tone === 'worse' ? shade(text) : tint(text)
  const reach = layout.spread && spread !== undefined ? ` ${colors.dim(beside ? spread.padStart(widest) : spread)}` : ''
  return `${tint(text)}${beside ? ' ' : '\n'}${shade(beside ? ratio.padStart(6) : ratio)}${reach}`
}

/** Names, and in a column of their own what stands behind some of them. */
function drawNames(rows: readonly Cell[][], beside: boolean, colors: Colors): string[] {
  const names = rows.map(([name]) => ({ text: name?.text ?? '', size: name?.ratio ?? '' }))
  const longest = Math.max(...names.map(({ text }) => text.length))
  const widest = Math.max(...names.map(({ size }) => size.length))
  return names.map(({ text, size }) => {
    if (widest === 0) return text
    return beside ? `${text.padEnd(longest)}  ${colors.dim(size.padStart(widest))}` : `${text}\n${colors.dim(size)}`
  })
}

/** A head of two words in two lines. */
const twoLines = (text: string): string => text.replace(' ', '\n')

export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= width) {
      lines.push(line)
      line = ''
    }
    line += line === '' ? word : ` ${word}`
  }
  return [...lines, line]
}
