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

/** For values above zero: equal factors are equal lengths. Between ticks there is room for their texts, in percent. */
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
  const roomy = within.filter(isRoomy)
  // Every second, third, … power of ten, so that 1 stays if it is there.
  const step = Math.ceil(powers.length / (100 / room - 2))
  const thin = within[3]!.filter(tick => Math.round(Math.log10(tick)) % step === 0)
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
  /** Quantity of the axis, and the direction that is better. */
  axis: string
  unit: Figure['unit'] | 'ratio' | 'sum of µs'
  groups: { title?: string; rows: ChartRow[] }[]
}

/** Returns the scale of a chart. A range that reaches further than twice the outermost points is cut, and shown to be. */
function getScale({ unit, groups }: Chart): Scale {
  const marks = groups.flatMap(({ rows }) => rows.flatMap(row => row.marks))
  if (unit === 'sum of µs') return linearScale(marks.flatMap(({ from, to = from }) => [from, to]))
  const points = marks.flatMap(({ kind, from }) => (kind === 'point' ? [from] : []))
  if (unit === 'ratio') points.push(1)
  const [lowest, highest] = [Math.min(...points) / 2, Math.max(...points) * 2]
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
  const format = (tick: number): string => {
    if (unit === 'ratio') return `${tick}×`
    const text = formatFigure({ median: tick, unit: unit === 'sum of µs' ? 'µs' : unit })
    return text.replace(/\d+\.\d+/, number => String(Number(number)))
  }
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

const drawColour = (step?: number): string =>
  step === undefined ? '' : `color:color-mix(in oklab,var(--last) ${step}%,var(--first))`

const drawKey = (style: string, step?: number): Html =>
  h`<i class="key point ${style}" style="${drawColour(step)}"></i>`

const KEYS = { better: drawKey('dot better'), worse: drawKey('diamond worse'), same: drawKey('ring same') }
const SHAPES = { better: 'dot', worse: 'diamond', same: 'ring' }

/** A ratio with its interval, and shaded what is too small for the run to see; nothing without an interval. */
const toRatioRow = (
  name: string,
  { ratio, interval, smallestEffect = null }: Pick<Figure, 'ratio' | 'interval'> & Partial<Figure>,
  tone: keyof typeof SHAPES,
): ChartRow[] => {
  if (ratio === null || interval === null) return []
  const band: Mark[] = smallestEffect ? [{ kind: 'band', from: 1 / smallestEffect, to: smallestEffect }] : []
  const range: Mark = { kind: 'range', from: interval[0], to: interval[1] }
  return [{ name, tone, marks: [...band, range, { kind: 'point', from: ratio, shape: SHAPES[tone] }] }]
}

/**
 * Ratios with their intervals (a forest plot): an interval across 1 cannot be told from the reference.
 *
 * @param judge - false if the noise check failed: nothing is better or worse then
 */
export function forest(
  groups: readonly { title?: string; rows: { name: string; figure: Figure }[] }[],
  title: string,
  reference: string,
  judge: boolean,
): Chart {
  const getTone = ({ interval, better }: Figure): 'better' | 'worse' | 'same' => {
    const [low, high] = interval ?? [1, 1]
    return !judge || (low <= 1 && high >= 1) ? 'same' : low > 1 === (better === 'higher') ? 'better' : 'worse'
  }
  const lower = groups.every(({ rows }) => rows.every(({ figure }) => figure.better === 'lower'))
  return {
    title,
    caption: h`${KEYS.better} better and ${KEYS.worse} worse than the reference, ${KEYS.same} not to be told from it. Bar:
      95 % interval. Shaded: too small for this run to see.`,
    axis: `ratio to ${reference} · further ${lower ? 'left' : 'right'} is better`,
    unit: 'ratio',
    groups: groups.map(({ rows, ...group }) => ({
      ...group,
      rows: rows.flatMap(({ name, figure }) => toRatioRow(name, figure, getTone(figure))),
    })),
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
  return { title: 'One arm, measured twice', caption, axis: 'ratio to itself', unit: 'ratio', groups: [{ rows }] }
}

const GOAL_TONES = { met: 'better', missed: 'worse', reported: 'same', 'too noisy': 'same' } as const

/** How far each goal was met or missed: 1 is the goal. A difference has no place on a scale of factors. */
export function goalsChart(goals: readonly GoalReport[]): Chart {
  const rows = goals.flatMap(({ work, compare, bound, goal, measured, interval, outcome }): ChartRow[] => {
    if (compare !== 'ratio' || measured === null || measured <= 0) return []
    const times = (value: number): number => (bound === 'at most' ? goal / value : value / goal)
    const [low, other] = (interval ?? [measured, measured]).map(times) as [number, number]
    const reached: [number, number] = [Math.min(low, other), Math.max(low, other)]
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

/** Figures of each arm on one line, from step to step: percentiles of a case, or one figure in several cases. */
export function stepChart(
  { arms, reference }: ScenarioReport,
  title: string,
  steps: readonly { title: string; inCase: CaseReport; id: string }[],
  { unit, better }: Figure,
): Chart {
  const styles = steps.map((_, at) => ({
    shape: STEP_SHAPES[at % 4]!,
    step: Math.round((100 * at) / (steps.length - 1)),
  }))
  const rows = arms.flatMap(({ id: arm, title: name }): ChartRow[] => {
    const figures = steps.flatMap(({ inCase, id }, at) => {
      const figure = inCase.results.find(result => result.arm === arm)?.figures.find(entry => entry.id === id)
      return figure && figure.median > 0 ? [{ ...figure, ...styles[at]! }] : []
    })
    if (figures.length < 2) return []
    const values = figures.map(({ median }) => median)
    const line: Mark = { kind: 'line', from: Math.min(...values), to: Math.max(...values) }
    const ranges = figures.map(({ low, high, step }): Mark => ({ kind: 'range', from: low, to: high, step }))
    const points = figures.map(({ median, shape, step }): Mark => ({ kind: 'point', from: median, shape, step }))
    const row: ChartRow = { name, tone: 'plain', marks: [line, ...ranges, ...points] }
    return [arm === reference ? { ...row, name: `${name} (reference)` } : row]
  })
  const keys = steps.map(
    (entry, at) => h`${at > 0 && ', '}${drawKey(styles[at]!.shape, styles[at]!.step)} ${entry.title}`,
  )
  const caption = h`${keys}. Pale bar: from the lowest to the highest round.`
  const axis = `log scale · further ${better === 'lower' ? 'left' : 'right'} is better`
  return { title, caption, axis, unit, groups: [{ rows }] }
}

const STEP_SHAPES = ['dot', 'diamond', 'triangle', 'square']
