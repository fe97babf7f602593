// What a run says about the goals: each that its scenarios were chosen for, met or missed, in the order of their list.
import { GOALS, type Goal } from '../goals.js'
import { pairedRatio } from '../statistics/ratio.js'
import { median } from '../statistics/median.js'
import { formatGoal } from './format.js'
import { findFigure, type Figure, type GoalReport, type Report } from './report.js'
import { FAILED, type Cell, type Table } from './table.js'

type Measured = Pick<Report, 'scenarios'>

/** @returns nothing for goals whose figures were not asked for; those that failed have no measured value, and are missed */
export function goalReports(report: Measured, goals: readonly Goal[] = GOALS): GoalReport[] {
  return goals.filter(goal => wasAskedFor(report, goal)).map(goal => reportOf(report, goal))
}

function reportOf(report: Measured, { onlyReported, ...goal }: Goal): GoalReport {
  const measured = compareFigures(goal, findFigure(report, goal.figure), findFigure(report, goal.against))
  const met = measured !== null && (goal.bound === 'at most' ? measured <= goal.goal : measured >= goal.goal)
  return { ...goal, measured, outcome: onlyReported ? 'reported' : met ? 'met' : 'missed' }
}

const wasAskedFor = (report: Measured, { figure, against }: Goal): boolean =>
  [figure, against].every(path => {
    const [scenario, inCase, arm] = path.split('/')
    const found = report.scenarios.find(({ id }) => id === scenario)
    return found?.cases.some(({ id }) => id === inCase) === true && found.arms.some(({ id }) => id === arm)
  })

/** Round by round, as all ratios are. */
function compareFigures({ compare }: Pick<Goal, 'compare'>, figure?: Figure, against?: Figure): number | null {
  if (!figure || !against) return null
  const value =
    compare === 'ratio'
      ? pairedRatio(figure.rounds, against.rounds)
      : median(figure.rounds.map((round, at) => round - (against.rounds[at] ?? NaN)))
  return value === null ? null : Number(value.toPrecision(4))
}

/** @returns `undefined` where no goal was asked for */
export function goalsTable({ goals }: Pick<Report, 'goals'>): Table | undefined {
  if (goals.length === 0) return undefined
  const count = (outcome: GoalReport['outcome']): number => goals.filter(goal => goal.outcome === outcome).length
  return {
    title: `Goals: ${count('met')} met, ${count('missed')} missed`,
    about:
      'Each figure against its reference in this run; × is the ratio round by round, of times (less is better)' +
      ' or of rates (more is).',
    head: ['', 'against', 'measured', 'goal', ''],
    rows: goals.map(goal => [
      { text: goal.work },
      { text: goal.reference },
      goal.measured === null ? FAILED : { text: formatGoal(goal.measured, goal.compare) },
      { text: `${goal.bound === 'at most' ? '≤' : '≥'} ${formatGoal(goal.goal, goal.compare)}` },
      outcomeCell(goal),
    ]),
  }
}

const TONES = { met: 'better', missed: 'worse', reported: undefined } as const

function outcomeCell({ outcome }: GoalReport): Cell {
  const tone = TONES[outcome]
  return { text: outcome, ...(tone && { tone }) }
}
