// Forest plots as HTML, with places in percent: they need no script, fit any width, and print. To a screen reader a chart is
// one picture; the table below it has all values.
import { range, ticks as linearTicks } from 'd3-array'
import { formatRatio, h, type Html } from '../shared/text.js'
import type { Figure } from './report.js'
import type { Cell } from './table.js'
import { NOTABLE, type Tone } from './tone.js'

interface Scale {
  /** Returns a place in percent. A value beyond an end is at that end. */
  at(value: number): number
  /** Round values with room for their texts. */
  ticks: number[]
}

const toPercent = (part: number): number => Math.round(Math.min(1, Math.max(0, part)) * 10_000) / 100

/** The least distance of ticks, in percent. */
const ROOM = 12

/** Makes equal factors of values above zero equally long. */
export function logScale(values: readonly number[]): Scale {
  const middle = Math.sqrt(Math.min(...values) * Math.max(...values))
  // A narrower scale would exaggerate noise. The outermost values have some room next to them.
  const half = Math.log(Math.max(Math.sqrt(1.2), Math.max(...values) / middle)) * 1.08
  const [low, high] = [middle * Math.exp(-half), middle * Math.exp(half)]
  const at = (value: number): number => toPercent(Math.log(value / low) / (2 * half))
  const isRoomy = (ticks: readonly number[]): boolean =>
    ticks.length > 1 && ticks.every((tick, index) => index === 0 || at(tick) - at(ticks[index - 1]!) >= ROOM)
  // Candidates: round factors, round differences for a narrow scale, and every second, third, … power of ten for a wide one.
  const powers = range(Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)) + 1)
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

const drawKey = (tone?: Tone): Html => h`<i class="key point ${tone}"></i>`

const LEGEND = h`${drawKey('better')} better and ${drawKey('worse')} worse than the reference by more than a tenth, ${drawKey()} no clear difference.`
const NOT_JUDGED = h`${drawKey()} not judged: the noise check failed.`

interface Group {
  title: string
  /** The cells of the table that has the same figures. */
  rows: readonly { name: string; cell: Cell }[]
}

type Ratio = Figure & { ratio: number; interval: [low: number, high: number] }
const hasRatio = (figure?: Figure): figure is Ratio => typeof figure?.ratio === 'number' && figure.interval !== null

/** Returns the scale of ratios. An interval that reaches further than twice the outermost ratios is cut, and shown to be. */
function getScale(figures: readonly Ratio[]): Scale {
  const ratios = [1, ...figures.map(({ ratio }) => ratio)]
  const [lowest, highest] = [Math.min(...ratios) / 2, Math.max(...ratios) * 2]
  const ends = figures.flatMap(({ interval }) => interval)
  return logScale([...ratios, ...ends.map(end => Math.min(highest, Math.max(lowest, end)))])
}

/** Draws ratios with their intervals, in the tones of their cells; nothing if no figure has a ratio. */
export function drawForest(
  groups: readonly Group[],
  { title, reference, judge }: { title: string; reference: string; judge: boolean },
): Html | undefined {
  const figures = groups.flatMap(({ rows }) => rows.map(({ cell }) => cell.figure).filter(hasRatio))
  if (figures.length === 0) return undefined
  const { at, ticks } = getScale(figures)
  const drawTick = (tick: number): Html =>
    h`<span class="tick${tick === 1 && ' strong'}" style="left:${at(tick)}%">${tick}×</span>`
  // Lines behind every track, as backgrounds.
  const grid = ticks.map(tick => {
    const colour = tick === 1 ? 'var(--line-strong)' : 'var(--line)'
    return `linear-gradient(${colour},${colour}) ${at(tick)}% 0/1px 100% no-repeat`
  })
  // Ratios within the band are neither better nor worse.
  const [from, to] = [at(1 / NOTABLE), at(NOTABLE)]
  const band = `linear-gradient(90deg,transparent ${from}%,var(--band) ${from}% ${to}%,transparent ${to}%)`
  const isCut = (end: number): boolean => [0, 100].includes(at(end))
  const drawRow = ({ name, cell: { figure, tone } }: Group['rows'][number]): Html | undefined => {
    if (!hasRatio(figure)) return undefined
    const [low, high] = figure.interval
    return h`<div class="row ${tone}"><span class="name">${name}</span> <span class="track">
      <i class="range ${isCut(low) && ' cut-left'}${isCut(high) && ' cut-right'}"
        style="left:${at(low)}%;width:${(at(high) - at(low)).toFixed(2)}%;"></i>
      <i class="point" style="left:${at(figure.ratio)}%;"></i></span> <span class="value">${formatRatio(figure.ratio)}</span></div>`
  }
  const drawGroup = (group: Group): Html | false => {
    const rows = group.rows.flatMap(row => drawRow(row) ?? [])
    return rows.length > 0 && h`<div class="group">${group.title}</div>${rows}`
  }
  const side = figures.every(({ better }) => better === 'lower') ? 'left' : 'right'
  const axis = `ratio to ${reference}${judge ? ` · further ${side} is better` : ''}`
  return h`<figure class="chart"><h3>${title}</h3>
    <div class="rows" role="img" aria-label="${title}: ${axis}. The table below has all values." style="--grid:${[...grid, band].join(',')}">
      ${groups.map(drawGroup)}
      <div class="axis"><span class="track">${ticks.map(drawTick)}</span><span class="about">${axis}</span></div>
    </div><figcaption>${judge ? LEGEND : NOT_JUDGED} Bar: 95 % interval.</figcaption></figure>`
}
