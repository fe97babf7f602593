// Ratios with their intervals, as a forest plot: what lies across 1 can't be told from the reference.
import { formatEffect, formatFigure, formatInterval, formatRatio } from '../format.js'
import type { Figure, NoiseCheck } from '../report.js'
import { markup, type Html } from './markup.js'
import type { ChartRow, Mark, RowChart, Tone } from './row-chart.js'
import { logScale, type Scale } from './scale.js'

export interface ForestRow {
  name: string
  figure: Pick<Figure, 'ratio' | 'interval' | 'smallestEffect' | 'better'> & Partial<Pick<Figure, 'median' | 'unit'>>
}

export interface ForestGroup {
  title?: string
  rows: ForestRow[]
}

/** An interval may reach this many times as far as the points themselves; what is longer is cut, and shown to be. */
const FURTHEST = 2

/** @param judge false where the run was too noisy: nothing is called better or worse then */
export function forest(
  groups: readonly ForestGroup[],
  title: string,
  reference: string,
  judge = true,
): RowChart | null {
  const shown = groups
    .map(({ title: of, rows }) => ({ ...(of !== undefined && { title: of }), rows: rows.filter(hasInterval) }))
    .filter(({ rows }) => rows.length > 0)
  const rows = shown.flatMap(group => group.rows)
  if (rows.length === 0) return null
  const points = [1, ...rows.map(({ figure }) => figure.ratio!)]
  const [lowest, highest] = [Math.min(...points) / FURTHEST, Math.max(...points) * FURTHEST]
  const ends = rows.flatMap(({ figure: { interval } }) => [
    Math.max(interval![0], lowest),
    Math.min(interval![1], highest),
  ])
  const scale = logScale([...points, ...ends])
  const lower = rows.every(({ figure }) => figure.better === 'lower')
  return {
    label: `Forest plot, ${title}: ${rows.length} ratios to ${reference} with their intervals. The table below has them all.`,
    caption: CAPTION,
    axis: `ratio to ${reference} · ${lower ? 'further left is better' : 'further right is better'}`,
    ticks: scale.ticks.map(value => ({ at: scale.at(value), text: `${value}×`, strong: value === 1 })),
    head: ['ratio', '95 %', ...(rows.some(({ figure }) => figure.median !== undefined) ? ['median'] : [])],
    groups: shown.map(group => ({ ...group, rows: group.rows.map(row => drawn(row, scale, judge)) })),
  }
}

const hasInterval = ({ figure: { ratio, interval } }: ForestRow): boolean => ratio !== null && interval !== null

export const mark = (shape: string, tone: Tone): Html => markup`<i class="key point ${shape} ${tone}"></i>`

const CAPTION = markup`${mark('dot', 'better')} better and ${mark('diamond', 'worse')} worse than the reference,
${mark('ring', 'same')} not to be told from it. Bar: 95 % interval. Shaded: too small for this run to see.`

const SHAPES = { better: 'dot', worse: 'diamond', same: 'ring', reference: 'square', plain: 'dot' } as const

function drawn({ name, figure }: ForestRow, scale: Scale, judge: boolean): ChartRow {
  const { ratio, interval, smallestEffect, median, unit } = figure
  const tone = judge ? toneOf(figure) : 'same'
  const marks: Mark[] = [
    ...(smallestEffect !== null
      ? [{ kind: 'band', from: scale.at(1 / smallestEffect), to: scale.at(smallestEffect) } as const]
      : []),
    rangeMark(interval!, scale),
    { kind: 'point', from: scale.at(ratio!), shape: SHAPES[tone] },
  ]
  const measured = median !== undefined && unit !== undefined ? [formatFigure({ median, unit })] : []
  return { name, values: [formatRatio(ratio!), formatInterval(interval!), ...measured], tone, marks }
}

/** What an interval leaves no doubt of, however small it is. */
function toneOf({ interval, better }: ForestRow['figure']): Tone {
  if (interval![0] <= 1 && interval![1] >= 1) return 'same'
  return interval![0] > 1 === (better === 'higher') ? 'better' : 'worse'
}

function rangeMark([low, high]: readonly [number, number], scale: Scale): Mark {
  const [left, right] = [!scale.contains(low), !scale.contains(high)]
  const cut = left && right ? 'both' : left ? 'left' : right ? 'right' : undefined
  return { kind: 'range', from: scale.at(low), to: scale.at(high), ...(cut && { cut }) }
}

/** What was measured twice: each ratio should be 1, within the tolerance. */
export function noiseForest(checks: readonly NoiseCheck[], tolerance: number): RowChart | null {
  const rows = checks.map(({ figure, ratio, interval, smallestEffect }) => ({
    name: figure,
    figure: { ratio, interval, smallestEffect, better: 'lower' as const },
  }))
  const chart = forest([{ rows }], 'something against itself', 'itself', false)
  return (
    chart && {
      ...chart,
      axis: 'ratio of two measurements of the same',
      caption: markup`Each bar should lie across 1, and reach no further than ${formatEffect(tolerance)} from it. Bar: 95
      % interval.`,
    }
  )
}
