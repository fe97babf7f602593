// Where the time of the isolation pattern goes: each step begins where the one before it ended.
import { duration } from '../format.js'
import type { CostStep } from '../report.js'
import { markup } from './markup.js'
import type { ChartRow, RowChart } from './row-chart.js'
import { linearScale } from './scale.js'

/** @returns `null` where the run can't tell */
export function waterfall(steps: readonly CostStep[], of: 'alone' | 'pipelined', title: string): RowChart | null {
  if (!steps.some(step => step.kind === 'whole' && step[of] !== null)) return null
  const spans = spansOf(steps, of)
  const scale = linearScale(spans.flatMap(({ from, to }) => [from, to]))
  return {
    label: `Decomposition of the isolation cost, ${title}. The table below has its steps.`,
    title: `${title}, with JSON`,
    caption: markup`A step begins where the one before it ended. Paler: a part of the step above.`,
    axis: 'time for each call',
    ticks: scale.ticks.map(value => ({ at: scale.at(value), text: duration(value).replace(/\.0+(?= )/, '') })),
    head: [''],
    groups: [
      {
        rows: spans.map(({ step: { title: name, kind, [of]: size }, from, to }): ChartRow => ({
          name,
          values: [size === null ? '–' : `${kind === 'step' && size >= 0 ? '+' : ''}${duration(size)}`],
          tone: kind === 'whole' ? 'reference' : to < from ? 'better' : 'plain',
          ...(kind === 'part' && { part: true }),
          marks:
            size === null
              ? []
              : [{ kind: 'bar', from: scale.at(Math.min(from, to)), to: scale.at(Math.max(from, to)) }],
        })),
      },
    ],
  }
}

interface Span {
  step: CostStep
  from: number
  to: number
}

/** Wholes from zero, steps one after the other, parts within the step above them. */
function spansOf(steps: readonly CostStep[], of: 'alone' | 'pipelined'): Span[] {
  let end = 0
  let within = 0
  return steps.map(step => {
    const size = step[of] ?? 0
    const from = step.kind === 'whole' ? 0 : step.kind === 'step' ? end : within
    const to = from + size
    if (step.kind === 'part') within = to
    else [within, end] = [from, to]
    return { step, from, to }
  })
}
