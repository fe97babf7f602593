// The tables of a report, and its failures.
import * as text from '../shared/text.js'
import { estimateDifference } from '../statistics/ratio.js'
import { findFigure, type ArmReport, type CaseReport, type Figure } from './report.js'
import type { GoalReport, Report, ScenarioReport } from './report.js'
import { numbers, words, type Cell, type Table } from './table.js'
import { createJudge, getTone, type Judge } from './tone.js'

type Scenarios = Pick<Report, 'scenarios'>

const FAILED: Cell = { text: 'failed', tone: 'failed' }
const MISSING: Cell = { text: '–', tone: 'missing' }

/** Returns the median or, if the figure depends on whether the threads are awake, its range. */
const formatMeasured = ({ median, range, unit }: Figure): string =>
  range ? text.formatRange(range, unit) : text.formatFigure({ median, unit })

/** A figure with its ratio. The reference has none. */
function figureCell(figure: Figure, isReference: boolean, judge: Judge): Cell {
  const { ratio, interval } = figure
  const tone = judge(figure)
  const cell = { text: formatMeasured(figure), figure, ...(tone && { tone }) }
  if (isReference || ratio === null) return cell
  return { ...cell, note: text.formatRatio(ratio), ...(interval && { interval: text.formatInterval(interval) }) }
}

/** Returns the figures that any arm has in a case, one of each kind, in their order. */
function getKinds({ results }: CaseReport): Figure[] {
  const figures = results.flatMap(result => result.figures)
  return [...new Set(figures.map(({ id }) => id))].map(id => figures.find(figure => figure.id === id)!)
}

/** Medians with their ratios: arms in rows and figures in columns, or the reverse if the scenario has a row for each case. */
export function scenarioTable(
  { title, about, arms, cases, reference, rows }: ScenarioReport,
  judge: Judge = getTone,
): Table {
  const figures = cases.flatMap(inCase =>
    getKinds(inCase).map((kind, _, { length }) => ({
      ...{ inCase, kind },
      name: length > 1 ? `${inCase.title}, ${kind.title}` : inCase.title,
    })),
  )
  const getCell = ({ inCase, kind }: (typeof figures)[number], arm: ArmReport): Cell => {
    const result = inCase.results.find(entry => entry.arm === arm.id)
    if (result?.error !== undefined) return FAILED
    const figure = result?.figures.find(entry => entry.id === kind.id)
    return figure ? figureCell(figure, arm.id === reference, judge) : MISSING
  }
  const hasSizes = new Set(cases.map(({ payloadBytes }) => payloadBytes)).size > 1
  const toName = ({ name, inCase }: (typeof figures)[number]): Cell => ({
    text: name,
    ...(hasSizes && { note: text.formatBytes(inCase.payloadBytes) }),
  })
  if (rows === 'cases')
    return {
      ...{ title, about },
      columns: [words(''), ...arms.map(arm => numbers(arm.title))],
      rows: figures.map(figure => [toName(figure), ...arms.map(arm => getCell(figure, arm))]),
    }
  return {
    ...{ title, about },
    columns: [words(''), ...figures.map(({ kind }) => numbers(kind.title))],
    rows: arms.map(arm => [{ text: arm.title }, ...figures.map(figure => getCell(figure, arm))]),
  }
}

/** Titles and references of the rows of the digest. */
const DIGEST: [title: string, path: string][] = [
  ['steady, p50', 'shapes/steady/raw/p50'],
  ['burst, p50', 'shapes/burst/raw/p50'],
  ['sparse, p50', 'shapes/sparse/raw/p50'],
  ['64 in flight', 'shapes/64/raw/rate'],
  ['20,000/s offered, p50', 'shapes/open-20k/raw/p50'],
  ['20,000/s offered, p99', 'shapes/open-20k/raw/p99'],
  ['60,000/s offered, p50', 'shapes/open-60k/raw/p50'],
  ['60,000/s offered, p99', 'shapes/open-60k/raw/p99'],
  ['idle CPU', 'idle/idle/raw/cpu'],
  ['idle memory', 'idle/idle/raw/rss'],
  ['GitHub pull request', 'documents/github-pull-request/raw/p50'],
  ['DevTools as JSON', 'documents/devtools/raw/p50'],
  ['DevTools as bytes', 'documents/devtools-bytes/raw/p50'],
  ['events, core → frontend', 'events/in/raw/rate'],
  ['events, frontend → core', 'events/out/raw/rate'],
  ['channel, core → frontend', 'channel/channel/raw/rate'],
]

/** Titles and arms of the columns of the digest after the reference. */
const DIGEST_ARMS = [
  ['birpc', 'birpc'],
  ['ring', 'ring-json'],
  ['port', 'port-json'],
  ['isolation', 'isolation-ring-json'],
] as const

/** The shapes of traffic, an idle bus, documents, and messages; `undefined` if nothing is compared with a reference. */
export function digestTable(report: Pick<Report, 'scenarios' | 'noise' | 'mode'>): Table | undefined {
  const judge = createJudge(report)
  // A quick run has too few of the slowest calls.
  const isShown = (path: string): boolean => report.mode === 'full' || !path.endsWith('/p99')
  const rows = DIGEST.filter(([, path]) => isShown(path)).flatMap(([title, path]): Cell[][] => {
    const others = DIGEST_ARMS.map(([, arm]) => path.replace('/raw/', `/${arm}/`))
    const figures = [path, ...others].map(entry => findFigure(report, entry))
    if (!figures.slice(1).some(Boolean)) return []
    const cells = figures.map((figure, at) => (figure ? figureCell(figure, at === 0, judge) : MISSING))
    return [[{ text: title }, ...cells]]
  })
  if (rows.length === 0) return undefined
  return {
    title: 'In short',
    about:
      "× is the median of the rounds' own ratios to the first column: of a time less is better, of a rate (/s) more. Ring and port are brownfield. A range depends on whether the threads are awake.",
    columns: [words(''), numbers('raw MessagePort'), ...DIGEST_ARMS.map(([title]) => numbers(title))],
    rows,
  }
}

const GOAL_TONES = { met: { tone: 'better' }, missed: { tone: 'worse' }, unclear: {}, 'too noisy': {} } as const

/** The goals that the run measured; `undefined` without one. */
export function goalsTable({ goals }: Pick<Report, 'goals'>): Table | undefined {
  if (goals.length === 0) return undefined
  const count = (outcome: GoalReport['outcome']): number => goals.filter(goal => goal.outcome === outcome).length
  const scores = (['met', 'missed', 'unclear'] as const).map(outcome => `${count(outcome)} ${outcome}`)
  const score = count('too noisy') > 0 ? 'not judged' : scores.join(', ')
  return {
    title: `Goals: ${score}`,
    about:
      'Each figure against its reference in this run; × is the ratio round by round, of times (less is better)' +
      ' or of rates (more is). A goal within the 95 % interval is unclear.' +
      ' The record of decisions (ADR) of a missed goal says what is known about it.',
    columns: [words(''), words('against'), numbers('measured'), numbers('goal'), words('')],
    rows: goals.map(({ work, reference, measured, bound, goal, compare, outcome, adr }) => [
      { text: work },
      { text: reference },
      measured === null ? FAILED : { text: text.formatGoal(measured, compare) },
      { text: `${bound === 'at most' ? '≤' : '≥'} ${text.formatGoal(goal, compare)}` },
      { text: outcome === 'missed' ? `missed, ADR ${adr}` : outcome, ...GOAL_TONES[outcome] },
    ]),
  }
}

/** The steps from a brownfield call to an isolated one. A step is the difference of two arms that differ in one thing. */
const STEPS: [title: string, arm: string, before?: string][] = [
  ['brownfield', 'ring-json'],
  ['+ through the gate', 'pass-ring-json', 'ring-json'],
  ['+ hook', 'hook-ring-json', 'pass-ring-json'],
  ['+ cipher', 'isolation-ring-json', 'hook-ring-json'],
  ['isolation', 'isolation-ring-json'],
]

/** A call alone, and one of 64. */
const STEP_FIGURES: [inCase: string, figure: string][] = [
  ['1', 'p50'],
  ['64', 'rate'],
]

const UNCLEAR: Cell = { text: 'within noise', tone: 'unclear' }

/** The cost of each step, by one scenario; `undefined` unless each of its arms was measured. */
export function costTable(report: Scenarios): Table | undefined {
  const find = ([inCase, figure]: (typeof STEP_FIGURES)[number], arm: string): Figure | undefined =>
    findFigure(report, `isolation/${inCase}/${arm}/${figure}`)
  if (STEPS.some(([, arm]) => STEP_FIGURES.some(kind => !find(kind, arm)))) return undefined
  const toTimes = ({ processes, unit }: Figure): number[][] =>
    unit === '/s' ? processes.map(rounds => rounds.map(rate => 1e6 / rate)) : processes
  const drawTotal = (figure: Figure): Cell =>
    figure.unit === '/s' ? { text: text.duration(1e6 / figure.median) } : { text: formatMeasured(figure) }
  const drawStep = (figure: Figure, before: Figure): Cell => {
    const found = estimateDifference(toTimes(figure), toTimes(before))
    return found && found.interval[0] > 0 ? { text: text.duration(found.difference) } : UNCLEAR
  }
  return {
    title: 'Cost of isolation',
    about:
      'A brownfield call and an isolated one with JSON in the scenario `isolation`: alone, and as one of 64 in flight.' +
      ' A step whose 95 % interval is not above zero is within noise.',
    columns: [words(''), numbers('one call'), numbers('one of 64'), words('derived from')],
    rows: STEPS.map(([title, arm, before]) => [
      { text: title },
      ...STEP_FIGURES.map(kind => {
        const [figure, earlier] = [find(kind, arm)!, before === undefined ? undefined : find(kind, before)!]
        return earlier ? drawStep(figure, earlier) : drawTotal(figure)
      }),
      { text: before === undefined ? arm : `${arm} − ${before}` },
    ]),
  }
}

/** Lists the arms that failed, with the case and the error. The case is `*` if the arm failed with one error in all of a scenario. */
export const getFailures = ({ scenarios }: Scenarios): string[] =>
  scenarios.flatMap(({ id: scenario, arms, cases }) =>
    arms.flatMap(({ id: arm }) => {
      const failed = cases.flatMap(({ id, results }) => {
        const error = results.find(result => result.arm === arm)?.error
        return error === undefined ? [] : [{ id, error: error.replaceAll(/\s+/g, ' ') }]
      })
      const everywhere = failed.length === cases.length && new Set(failed.map(({ error }) => error)).size === 1
      const shown = everywhere ? [{ ...failed[0]!, id: '*' }] : failed
      return shown.map(({ id, error }) => `${scenario}/${id}/${arm}: ${error}`)
    }),
  )
