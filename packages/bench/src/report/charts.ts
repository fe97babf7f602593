// Charts of rows as HTML, with places in percent: they need no script, fit any width, and print. To a screen reader a chart is
// one picture; the table below it has all of its values.
import { ticks as linearTicks } from 'd3-array'
import { formatEffect, formatFigure, h, type Html } from '../shared/text.js'
import type { CaseReport, CostStep, Figure, GoalReport, Noise, Report, ScenarioReport } from './report.js'
import { digestFigures } from './tables.js'

interface Scale {
  /** In percent; a value beyond an end is at that end. */
  at(value: number): number
  /** A few round values, far enough from each other. */
  ticks: number[]
}

const toPercent = (part: number): number => Math.round(Math.min(1, Math.max(0, part)) * 10_000) / 100

/**
 * For times, rates and ratios, which are above zero: equal factors are equal lengths.
 *
 * @param room - how far apart the texts of two ticks have to be on a phone, in percent
 */
export function logScale(values: readonly number[], room = 12): Scale {
  const middle = Math.sqrt(Math.min(...values) * Math.max(...values))
  // A narrower scale would make noise look like something; the outermost values have some room next to them.
  const half = Math.log(Math.max(Math.sqrt(1.2), Math.max(...values) / middle)) * 1.08
  const [low, high] = [middle * Math.exp(-half), middle * Math.exp(half)]
  const at = (value: number): number => toPercent(Math.log(value / low) / (2 * half))
  const isRoomy = (ticks: readonly number[]): boolean =>
    ticks.length > 1 && ticks.every((tick, index) => index === 0 || at(tick) - at(ticks[index - 1]!) >= room)
  const first = Math.floor(Math.log10(low))
  const powers = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, step) => first + step)
  const lists = [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]].map(steps =>
    powers.flatMap(power => steps.map(step => Number(`${step}e${power}`))),
  )
  const linear = [6, 5, 4, 3].map(most => linearTicks(low, high, most))
  const within = [...lists, ...linear].map(ticks => ticks.filter(tick => tick >= low && tick <= high))
  // Every second, third, … power of ten, so that 1 stays if it is there.
  const tens = within[3]!
  const step = Math.ceil(tens.length / (100 / room - 2))
  const thin = tens.filter((_, index) => (index - Math.max(0, tens.indexOf(1))) % step === 0)
  const roomy = within.filter(isRoomy)
  return { at, ticks: roomy.find(({ length }) => length > 2) ?? roomy[0] ?? thin }
}

/** For what adds up: from zero, or from below it. */
export function linearScale(values: readonly number[]): Scale {
  const low = Math.min(0, ...values)
  const high = Math.max(...values, low + 1e-9) + (Math.max(...values) - low) * 0.04
  return { at: value => toPercent((value - low) / (high - low)), ticks: linearTicks(low, high, 3) }
}

interface Mark {
  /** A `band` lies behind all, a `line` joins points, a `range` is a thin bar, a `bar` a thick one, a `point` has a shape. */
  kind: 'band' | 'line' | 'range' | 'bar' | 'point'
  from: number
  /** For all but points. */
  to?: number
  shape?: string
  /** The place among several points, in percent: gives the colour. */
  step?: number
}

interface ChartRow {
  name: string
  /** `same` cannot be told from the reference; a `part` belongs to the row above. */
  tone: 'better' | 'worse' | 'same' | 'reference' | 'plain' | 'part'
  marks: Mark[]
}

/** A chart of rows: a name, and a track with marks. */
export interface Chart {
  title: string
  caption: Html
  /** What the axis measures, and in which direction it gets better. */
  axis: string
  unit: Figure['unit'] | 'ratio' | 'sum of µs'
  groups: { title?: string; rows: ChartRow[] }[]
}

/** A range can reach this many times as far as the points; a longer one is cut, and shown to be. */
const FURTHEST = 2

/** Returns the scale of a chart: of all that its marks reach, except ranges that would make all others too short. */
function getScale({ unit, groups }: Chart): Scale {
  const marks = groups.flatMap(({ rows }) => rows.flatMap(row => row.marks))
  if (unit === 'sum of µs') return linearScale(marks.flatMap(({ from, to = from }) => [from, to]))
  const points = marks.flatMap(({ kind, from }) => (kind === 'point' ? [from] : []))
  if (unit === 'ratio') points.push(1)
  const [lowest, highest] = [Math.min(...points) / FURTHEST, Math.max(...points) * FURTHEST]
  const ends = marks.flatMap(({ kind, from, to }) => (kind === 'range' ? [from, to!] : []))
  return logScale([...points, ...ends.map(end => Math.min(highest, Math.max(lowest, end)))], unit === 'ratio' ? 12 : 17)
}

/** Draws a chart; nothing without rows. */
export function drawChart(chart: Chart): Html | undefined {
  const { title, caption, axis, unit } = chart
  const groups = chart.groups.filter(({ rows }) => rows.length > 0)
  if (groups.length === 0) return undefined
  const { at, ticks } = getScale(chart)
  const isOne = (tick: number): boolean => unit === 'ratio' && tick === 1
  const format = (tick: number): string =>
    unit === 'ratio'
      ? `${tick}×`
      : formatFigure({ median: tick, unit: unit === 'sum of µs' ? 'µs' : unit }).replace(/\d+\.\d+/, text =>
          String(Number(text)),
        )
  const drawTick = (tick: number): Html =>
    h`<span class="tick${isOne(tick) && ' strong'}" style="left:${at(tick)}%">${format(tick)}</span>`
  // Lines behind every track, as backgrounds.
  const grid = ticks.map(tick => {
    const colour = isOne(tick) ? 'var(--line-strong)' : 'var(--line)'
    return `linear-gradient(${colour},${colour}) ${at(tick)}% 0/1px 100% no-repeat`
  })
  const drawMark = ({ kind, from, to = from, shape, step }: Mark): Html => {
    const isCut = (end: number): boolean => kind === 'range' && unit === 'ratio' && [0, 100].includes(at(end))
    const width = kind !== 'point' && `width:${(at(to) - at(from)).toFixed(2)}%;`
    return h`<i class="${kind} ${shape}${isCut(from) && ' cut-left'}${isCut(to) && ' cut-right'}"
      style="left:${at(from)}%;${width}${drawColour(step)}"></i>`
  }
  const drawRow = ({ name, tone, marks }: ChartRow): Html =>
    h`<div class="row ${tone}"><span class="name">${name}</span> <span class="track">${marks.map(drawMark)}</span></div>`
  return h`<figure class="chart"><h3>${title}</h3>
    <div class="rows" role="img" aria-label="${title}: ${axis}. The table below has all values." style="--grid:${grid.join(',')}">
      ${groups.map(group => [group.title && h`<div class="group">${group.title}</div>`, group.rows.map(drawRow)])}
      <div class="axis"><span class="track">${ticks.map(drawTick)}</span><span class="about">${axis}</span></div>
    </div><figcaption>${caption}</figcaption></figure>`
}

const drawColour = (step?: number): string | false =>
  step !== undefined && `color:color-mix(in oklab,var(--last) ${step}%,var(--first))`

const drawKey = (style: string, step?: number): Html =>
  h`<i class="key point ${style}" style="${drawColour(step)}"></i>`

const KEYS = { better: drawKey('dot better'), worse: drawKey('diamond worse'), same: drawKey('ring same') }
const SHAPES = { better: 'dot', worse: 'diamond', same: 'ring' }

type Ratio = Pick<Figure, 'ratio' | 'interval'> & { smallestEffect?: number | null }

/** A ratio with its interval, and shaded what is too small for the run to see; nothing without an interval. */
const toRatioRow = (
  name: string,
  { ratio, interval, smallestEffect }: Ratio,
  tone: keyof typeof SHAPES,
): ChartRow[] => {
  if (ratio === null || interval === null) return []
  const band: Mark[] = smallestEffect ? [{ kind: 'band', from: 1 / smallestEffect, to: smallestEffect }] : []
  const range: Mark = { kind: 'range', from: interval[0], to: interval[1] }
  return [{ name, tone, marks: [...band, range, { kind: 'point', from: ratio, shape: SHAPES[tone] }] }]
}

export interface ForestGroup {
  title?: string
  rows: { name: string; figure: Figure }[]
}

/**
 * Ratios with their intervals (a forest plot): an interval across 1 cannot be told from the reference.
 *
 * @param judge - false if the noise check failed: nothing is better or worse then
 */
export function forest(groups: readonly ForestGroup[], title: string, reference: string, judge: boolean): Chart {
  const figures = groups.flatMap(({ rows }) => rows.map(({ figure }) => figure))
  const direction = figures.every(({ better }) => better === 'lower') ? 'left' : 'right'
  const toRow = ({ name, figure }: ForestGroup['rows'][number]): ChartRow[] => {
    const [low, high] = figure.interval ?? [1, 1]
    const isSame = !judge || (low <= 1 && high >= 1)
    return toRatioRow(name, figure, isSame ? 'same' : low > 1 === (figure.better === 'higher') ? 'better' : 'worse')
  }
  return {
    title,
    caption: h`${KEYS.better} better and ${KEYS.worse} worse than the reference, ${KEYS.same} not to be told from it. Bar:
      95 % interval. Shaded: too small for this run to see.`,
    axis: `ratio to ${reference} · further ${direction} is better`,
    unit: 'ratio',
    groups: groups.map(({ rows, ...group }) => ({ ...group, rows: rows.flatMap(toRow) })),
  }
}

/** The digest. Times and rates have charts of their own, because times get better to the left. */
export const digestCharts = (report: Pick<Report, 'scenarios'>, judge: boolean): Chart[] =>
  (['lower', 'higher'] as const).map(better => {
    const groups = digestFigures(report).map(({ title, figures: [, brownfield, isolation] }) => {
      const rows = Object.entries({ brownfield, isolation })
      return { title, rows: rows.flatMap(([name, figure]) => (figure?.better === better ? [{ name, figure }] : [])) }
    })
    return forest(groups, better === 'lower' ? 'Times' : 'Rates', 'the reference', judge)
  })

/** The noise check: each ratio should be 1, within the tolerance. */
export function noiseChart({ checks, tolerance }: Noise): Chart {
  const caption = h`Each bar should lie across 1, and reach no further than ${formatEffect(tolerance)} from it. Bar: 95 % interval.`
  const rows = checks.flatMap(check => toRatioRow(check.figure, check, 'same'))
  return { title: 'The same, measured twice', caption, axis: 'ratio to itself', unit: 'ratio', groups: [{ rows }] }
}

const GOAL_TONES = { met: 'better', missed: 'worse', reported: 'same', 'too noisy': 'same' } as const

/** How far each goal was met or missed: 1 is the goal. A difference has no place on a scale of factors. */
export function goalsChart(goals: readonly GoalReport[]): Chart {
  const rows = goals.flatMap(({ work, compare, bound, goal, measured, interval, outcome }): ChartRow[] => {
    if (compare !== 'ratio' || measured === null || measured <= 0) return []
    const times = (value: number): number => (bound === 'at most' ? goal / value : value / goal)
    const [one, other] = (interval ?? [measured, measured]).map(times) as [number, number]
    const reached: [number, number] = [Math.min(one, other), Math.max(one, other)]
    return toRatioRow(work, { ratio: times(measured), interval: reached }, GOAL_TONES[outcome])
  })
  const caption = h`${KEYS.better} met, ${KEYS.worse} missed, ${KEYS.same} only reported or not judged. Bar: 95 % interval.`
  const axis = 'times the goal · further right is better'
  return { title: 'Measured, in goals', caption, axis, unit: 'ratio', groups: [{ rows }] }
}

/** Where the time of the isolation pattern goes: each step begins where the one before it ended. */
export function waterfall(steps: readonly CostStep[], of: 'alone' | 'pipelined', title: string): Chart {
  let [end, within] = [0, 0]
  const rows = steps.map(({ title: name, kind, [of]: size }): ChartRow => {
    // Wholes begin at zero, steps after each other, parts within the step above them.
    const from = kind === 'whole' ? 0 : kind === 'step' ? end : within
    const to = from + (size ?? 0)
    if (kind === 'part') within = to
    else [within, end] = [from, to]
    const tone = kind === 'whole' ? 'reference' : kind === 'part' ? 'part' : to < from ? 'better' : 'plain'
    const bar: Mark = { kind: 'bar', from: Math.min(from, to), to: Math.max(from, to) }
    return { name, tone, marks: size === null ? [] : [bar] }
  })
  const caption = h`A step begins where the one before it ended. Paler: a part of the step above.`
  return { title, caption, axis: 'time for each call, with JSON', unit: 'sum of µs', groups: [{ rows }] }
}

interface Step {
  title: string
  inCase: CaseReport
  /** Of the figure. */
  id: string
}

/**
 * Figures of each arm on one line, from step to step: percentiles of a case, or one figure in several cases.
 *
 * @param kind - one of these figures
 */
export function stepChart(
  { arms, reference }: ScenarioReport,
  title: string,
  steps: readonly Step[],
  { unit, better }: Figure,
): Chart {
  const getShape = (at: number): string => ['dot', 'diamond', 'triangle', 'square'][at % 4]!
  const getColour = (at: number): number => Math.round((100 * at) / (steps.length - 1))
  const rows = arms.flatMap(({ id: arm, title: name }): ChartRow[] => {
    const figures = steps.flatMap(({ inCase, id }, at) => {
      const figure = inCase.results.find(result => result.arm === arm)?.figures.find(one => one.id === id)
      return figure && figure.median > 0 ? [{ ...figure, shape: getShape(at), step: getColour(at) }] : []
    })
    if (figures.length < 2) return []
    const values = figures.map(({ median }) => median)
    const line: Mark = { kind: 'line', from: Math.min(...values), to: Math.max(...values) }
    const ranges = figures.map(({ low, high, step }): Mark => ({ kind: 'range', from: low, to: high, step }))
    const points = figures.map(({ median, shape, step }): Mark => ({ kind: 'point', from: median, shape, step }))
    const label = arm === reference ? `${name} (reference)` : name
    return [{ name: label, tone: 'plain', marks: [line, ...ranges, ...points] }]
  })
  const keys = steps.map((one, at) => h`${at > 0 && ', '}${drawKey(getShape(at), getColour(at))} ${one.title}`)
  const caption = h`${keys}. Pale bar: from the lowest to the highest round.`
  const axis = `log scale · further ${better === 'lower' ? 'left' : 'right'} is better`
  return { title, caption, axis, unit, groups: [{ rows }] }
}
