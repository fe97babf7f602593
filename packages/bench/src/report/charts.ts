// Charts of rows as HTML, with places in percent: they need no script, fit any width, and print. To a screen reader a chart is
// one picture; the table below it has all of its values.
import { ticks as linearTicks } from 'd3-array'
import { h, type Html } from '../shared/text.js'
import type { Figure } from './report.js'

interface Scale {
  /** In percent; a value beyond an end is at that end. */
  at(value: number): number
  /** A few round values, far enough from each other. */
  ticks: number[]
}

const toPercent = (part: number): number => Math.round(Math.min(1, Math.max(0, part)) * 10_000) / 100

/** The room for the text of a tick, in percent. */
const ROOM = 12

/** For values above zero: equal factors are equal lengths. */
export function logScale(values: readonly number[]): Scale {
  const middle = Math.sqrt(Math.min(...values) * Math.max(...values))
  // A narrower scale would make noise look like something; the outermost values have some room next to them.
  const half = Math.log(Math.max(Math.sqrt(1.2), Math.max(...values) / middle)) * 1.08
  const [low, high] = [middle * Math.exp(-half), middle * Math.exp(half)]
  const at = (value: number): number => toPercent(Math.log(value / low) / (2 * half))
  const isRoomy = (ticks: readonly number[]): boolean =>
    ticks.length > 1 && ticks.every((tick, index) => index === 0 || at(tick) - at(ticks[index - 1]!) >= ROOM)
  // Round factors; on a narrow scale round differences; on a wide one every second, third, … power of ten.
  const first = Math.floor(Math.log10(low))
  const powers = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, step) => first + step)
  const factors = [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]].map(steps =>
    powers.flatMap(power => steps.map(step => Number(`${step}e${power}`))),
  )
  const differences = [6, 5, 4, 3].map(most => linearTicks(low, high, most))
  const thinned = powers.map((_, step) => powers.filter(power => power % (step + 1) === 0).map(power => 10 ** power))
  const within = [...factors, ...differences, ...thinned].map(ticks =>
    ticks.filter(tick => tick >= low && tick <= high),
  )
  const roomy = within.filter(isRoomy)
  return { at, ticks: roomy.find(({ length }) => length > 2) ?? roomy[0] ?? [1] }
}

const SHAPES = { better: 'dot', worse: 'diamond', same: 'ring' }
const drawKey = (tone: keyof typeof SHAPES): Html => h`<i class="key point ${SHAPES[tone]} ${tone}"></i>`

const LEGEND = h`${drawKey('better')} better and ${drawKey('worse')} worse than the reference, ${drawKey('same')} not to be told from it.`
const NOT_JUDGED = h`${drawKey('same')} not judged: the noise check failed.`

interface ChartRow {
  name: string
  /** `same` cannot be told from the reference. */
  tone: keyof typeof SHAPES
  ratio: number
  interval: readonly [low: number, high: number]
}

/** A chart of rows: a name, and a track with a ratio and its interval. */
export interface Chart {
  title: string
  caption: Html
  /** Quantity of the axis, and the direction that is better. */
  axis: string
  groups: { title?: string; rows: ChartRow[] }[]
}

/** Returns the scale of rows. An interval that reaches further than twice the outermost ratios is cut, and shown to be. */
function getScale(rows: readonly ChartRow[]): Scale {
  const ratios = [1, ...rows.map(({ ratio }) => ratio)]
  const [lowest, highest] = [Math.min(...ratios) / 2, Math.max(...ratios) * 2]
  const ends = rows.flatMap(({ interval }) => interval)
  return logScale([...ratios, ...ends.map(end => Math.min(highest, Math.max(lowest, end)))])
}

/** Draws a chart; nothing without rows. */
export function drawChart({ title, caption, axis, groups: all }: Chart): Html | undefined {
  const groups = all.filter(({ rows }) => rows.length > 0)
  if (groups.length === 0) return undefined
  const { at, ticks } = getScale(groups.flatMap(({ rows }) => rows))
  const drawTick = (tick: number): Html =>
    h`<span class="tick${tick === 1 && ' strong'}" style="left:${at(tick)}%">${tick}×</span>`
  // Lines behind every track, as backgrounds.
  const grid = ticks.map(tick => {
    const colour = tick === 1 ? 'var(--line-strong)' : 'var(--line)'
    return `linear-gradient(${colour},${colour}) ${at(tick)}% 0/1px 100% no-repeat`
  })
  const isCut = (end: number): boolean => [0, 100].includes(at(end))
  const drawRow = ({ name, tone, ratio, interval: [low, high] }: ChartRow): Html =>
    h`<div class="row ${tone}"><span class="name">${name}</span> <span class="track">
      <i class="range ${isCut(low) && ' cut-left'}${isCut(high) && ' cut-right'}"
        style="left:${at(low)}%;width:${(at(high) - at(low)).toFixed(2)}%;"></i>
      <i class="point ${SHAPES[tone]}" style="left:${at(ratio)}%;"></i></span></div>`
  return h`<figure class="chart"><h3>${title}</h3>
    <div class="rows" role="img" aria-label="${title}: ${axis}. The table below has all values." style="--grid:${grid.join(',')}">
      ${groups.map(group => [group.title && h`<div class="group">${group.title}</div>`, group.rows.map(drawRow)])}
      <div class="axis"><span class="track">${ticks.map(drawTick)}</span><span class="about">${axis}</span></div>
    </div><figcaption>${caption}</figcaption></figure>`
}

/** Ratios with their intervals (a forest plot). One across 1 cannot be told from the reference; without `judge`, none is judged. */
export function forest(
  groups: readonly { title?: string; rows: { name: string; figure: Figure }[] }[],
  title: string,
  reference: string,
  judge: boolean,
): Chart {
  const toRow = (name: string, { ratio, interval, better }: Figure): ChartRow[] => {
    if (ratio === null || interval === null) return []
    const [low, high] = interval
    const direction = low > 1 === (better === 'higher') ? 'better' : 'worse'
    return [{ name, tone: !judge || (low <= 1 && high >= 1) ? 'same' : direction, ratio, interval }]
  }
  const lower = groups.every(({ rows }) => rows.every(({ figure }) => figure.better === 'lower'))
  return {
    title,
    caption: h`${judge ? LEGEND : NOT_JUDGED} Bar: 95 % interval.`,
    axis: `ratio to ${reference}${judge ? ` · further ${lower ? 'left' : 'right'} is better` : ''}`,
    groups: groups.map(group => ({ ...group, rows: group.rows.flatMap(({ name, figure }) => toRow(name, figure)) })),
  }
}
