// A chart of rows: a name, a track with marks, and the value in words. Places are percentages and text is text, so it fits
// any width, prints, can be searched, and nothing can overlap. To a screen reader it is one picture; the table below it is
// what it reads.
import { markup, type Html } from './markup.js'

/** `same` is what can't be told from the reference. */
export type Tone = 'better' | 'worse' | 'same' | 'reference' | 'plain'

export interface Mark {
  /** A `band` lies behind all, a `line` joins points, a `range` is a thin bar, a `bar` a thick one, a `point` has a shape. */
  kind: 'band' | 'line' | 'range' | 'bar' | 'point'
  /** Percent of the track; `to` for all but points. */
  from: number
  to?: number
  shape?: 'dot' | 'diamond' | 'ring' | 'square' | 'triangle'
  /** Has the colour of its place in a list (the first percentile, the second) rather than of its row. */
  step?: number
  /** That it goes on beyond an end of the track. */
  cut?: 'left' | 'right' | 'both'
}

export interface ChartRow {
  name: string
  /** The first is what counts; the others stand beside it, and smaller. */
  values: string[]
  tone: Tone
  marks: Mark[]
  /** Belongs to the row above. */
  part?: true
}

export interface RowChart {
  /** Where a section has more than one. */
  title?: string
  /** For who can't see it: one sentence. */
  label: string
  caption: Html
  /** What the axis measures, and in which direction it gets better. */
  axis: string
  ticks: { at: number; text: string; strong?: boolean }[]
  /** What the values of the rows are, as a head above them. */
  head: string[]
  groups: { title?: string; rows: ChartRow[] }[]
}

export const drawRowChart = ({ title, label, caption, axis, ticks, head, groups }: RowChart): Html =>
  markup`<figure class="chart">
    ${title !== undefined && markup`<h3>${title}</h3>`}
    <div class="rows${head.length > 1 ? ' wide' : ''}" role="img" aria-label="${label}" style="--grid:${gridOf(ticks)};--values:${head.length}">
      <div class="head">${drawValues(head)}</div>
      ${groups.map(({ title: of, rows }) => [of !== undefined && markup`<div class="group">${of}</div>`, rows.map(drawRow)])}
      <div class="axis"><span class="track">${ticks.map(drawTick)}</span><span class="about">${axis}</span></div>
    </div>
    <figcaption>${caption}</figcaption>
  </figure>`

const drawTick = ({ at, text, strong }: RowChart['ticks'][number]): Html =>
  markup`<span class="tick${strong ? ' strong' : ''}" style="left:${at}%">${text}</span>`

/** Lines behind every track, as backgrounds. */
const gridOf = (ticks: RowChart['ticks']): string =>
  ticks
    .map(({ at, strong }) => {
      const colour = strong ? 'var(--line-strong)' : 'var(--line)'
      return `linear-gradient(${colour},${colour}) ${at}% 0/${strong ? 1.5 : 1}px 100% no-repeat`
    })
    .join(',')

const drawRow = ({ name, values, tone, marks, part }: ChartRow): Html =>
  markup`<div class="row ${tone}${part ? ' part' : ''}">
    <span class="name">${name}</span>
    <span class="track">${marks.map(drawMark)}</span>
    ${drawValues(values)}
  </div>`

const drawValues = (values: readonly string[]): Html =>
  markup`<span class="values">${values.map((value, at) => markup`<span>${at === 0 ? markup`<b>${value}</b>` : value}</span> `)}</span>`

const drawMark = ({ kind, from, to, shape, cut, step }: Mark): Html => {
  const classes = [kind, shape, cut && `cut-${cut}`, step !== undefined && `step-${step}`].filter(Boolean).join(' ')
  const width = to === undefined ? '' : `;width:${Math.round((to - from) * 100) / 100}%`
  return markup`<i class="${classes}" style="left:${from}%${width}"></i>`
}
