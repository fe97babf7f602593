// How far each goal was met or missed: all on one scale, on which 1 is the goal and further right is better.
import { formatGoal, formatRatio } from '../format.js'
import type { GoalReport } from '../report.js'
import { mark } from './forest.js'
import { markup } from './markup.js'
import type { ChartRow, RowChart, Tone } from './row-chart.js'
import { logScale } from './scale.js'

/** A difference has no place on a scale of factors, and stands in the table alone. */
export function goalsChart(goals: readonly GoalReport[], judge: boolean): RowChart | null {
  const shown = goals.filter(({ compare, measured }) => compare === 'ratio' && measured !== null && measured > 0)
  if (shown.length === 0) return null
  const times = ({ bound, goal }: GoalReport, value: number): number =>
    bound === 'at most' ? goal / value : value / goal
  const reached = (goal: GoalReport): number[] =>
    (goal.interval ?? [goal.measured!]).map(value => times(goal, value)).sort((one, other) => one - other)
  const points = [1, ...shown.map(goal => times(goal, goal.measured!))]
  const [lowest, highest] = [Math.min(...points) / 2, Math.max(...points) * 2]
  const scale = logScale([
    ...points,
    ...shown.flatMap(reached).map(value => Math.min(highest, Math.max(lowest, value))),
  ])
  return {
    label: `Goals: ${shown.length} ratios, each divided by its goal. The table below has them all.`,
    caption: markup`${mark('dot', 'better')} met, ${mark('diamond', 'worse')} missed, ${mark('ring', 'same')} only
    reported or not judged. Bar: 95 % interval.`,
    axis: 'times the goal · further right is better',
    ticks: scale.ticks.map(value => ({ at: scale.at(value), text: `${value}×`, strong: value === 1 })),
    head: ['measured', 'goal', 'against'],
    groups: [
      {
        rows: shown.map((goal): ChartRow => {
          const [from, to] = [reached(goal)[0]!, reached(goal).at(-1)!]
          const tone = judge ? TONES[goal.outcome] : 'same'
          return {
            name: goal.work,
            values: [
              formatRatio(goal.measured!),
              `${goal.bound === 'at most' ? '≤' : '≥'} ${formatGoal(goal.goal, goal.compare)}`,
              goal.reference,
            ],
            tone,
            marks: [
              { kind: 'range', from: scale.at(from), to: scale.at(to) },
              { kind: 'point', from: scale.at(times(goal, goal.measured!)), shape: SHAPES[tone] ?? 'ring' },
            ],
          }
        }),
      },
    ],
  }
}

const TONES: Record<GoalReport['outcome'], Tone> = {
  met: 'better',
  missed: 'worse',
  reported: 'same',
  'too noisy': 'same',
}
const SHAPES: Partial<Record<Tone, 'dot' | 'diamond'>> = { better: 'dot', worse: 'diamond' }
