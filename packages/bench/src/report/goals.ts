// What a run says about the goals: each that its scenarios were chosen for, met or missed, in the order of their list.
import { GOALS, type Goal } from '../goals.js'
import { medianOfMedians } from '../statistics/median.js'
import { estimateRatio, type Estimate } from '../statistics/ratio.js'
import { formatGoal, short } from './format.js'
import { findFigure, type Figure, type GoalReport, type Report } from './report.js'
import { FAILED, type Cell, type Table } from './table.js'

type Measured = Pick<Report, 'scenarios' | 'noise'>

/** @returns nothing for goals whose figures were not asked for; those that failed have no measured value, and are missed */
export function goalReports(report: Measured, goals: readonly Goal[] = GOALS): GoalReport[] {
  return goals.filter(goal => wasAskedFor(report, goal)).map(goal => reportOf(report, goal))
}

function reportOf(report: Measured, { onlyReported, ...goal }: Goal): GoalReport {
  const { measured, interval } = compareFigures(goal, findFigure(report, goal.figure), findFigure(report, goal.against))
  const met = measured !== null && (goal.bound === 'at most' ? measured <= goal.goal : measured >= goal.goal)
  return { ...goal, measured, interval, outcome: onlyReported ? 'reported' : outcomeOf(report, met) }
}

const outcomeOf = ({ noise }: Measured, met: boolean): GoalReport['outcome'] =>
  noise?.outcome === 'too noisy' ? 'too noisy' : met ? 'met' : 'missed'

const wasAskedFor = (report: Measured, { figure, against }: Goal): boolean =>
  [figure, against].every(path => {
    const [scenario, inCase, arm] = path.split('/')
    const found = report.scenarios.find(({ id }) => id === scenario)
    return found?.cases.some(({ id }) => id === inCase) === true && found.arms.some(({ id }) => id === arm)
  })

/** Round by round, as all ratios are. */
function compareFigures(
  { compare }: Pick<Goal, 'compare'>,
  figure?: Figure,
  against?: Figure,
): Pick<GoalReport, 'measured' | 'interval'> {
  if (!figure || !against) return { measured: null, interval: null }
  if (compare === 'ratio') {
    const estimate = estimateRatio(figure.processes, against.processes)
    return { measured: estimate && short(estimate.ratio), interval: estimate && shortInterval(estimate) }
  }
  const differences = figure.processes.map((rounds, process) =>
    rounds.map((value, round) => value - (against.processes[process]?.[round] ?? NaN)),
  )
  return { measured: short(medianOfMedians(differences)), interval: null }
}

const shortInterval = ({ interval: [low, high] }: Estimate): [number, number] => [short(low), short(high)]

/** @returns `undefined` where no goal was asked for */
export function goalsTable({ goals }: Pick<Report, 'goals'>): Table | undefined {
  if (goals.length === 0) return undefined
  const count = (outcome: GoalReport['outcome']): number => goals.filter(goal => goal.outcome === outcome).length
  return {
    title:
      count('too noisy') > 0 ? 'Goals: too noisy to judge' : `Goals: ${count('met')} met, ${count('missed')} missed`,
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

const TONES = { met: 'better', missed: 'worse', reported: undefined, 'too noisy': undefined } as const

function outcomeCell({ outcome }: GoalReport): Cell {
  const tone = TONES[outcome]
  return { text: outcome, ...(tone && { tone }) }
}
