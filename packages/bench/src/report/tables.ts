// The tables of a report before they are drawn: a terminal, Markdown and the page show the same rows and cells.
import * as text from '../shared/text.js'
import { NOTABLE } from './build.js'
import { everyFigure, findFigure, type ArmReport, type CaseReport, type Figure } from './report.js'
import type { GoalReport, Report, ScenarioReport } from './report.js'

export interface Cell {
  text: string
  /** Next to or below the text: a figure's ratio to its reference; for the name of a row, its size. */
  ratio?: string
  /** The interval of the ratio, if there is room: `1.20–1.27×`. */
  interval?: string
  tone?: 'better' | 'worse' | 'failed' | 'missing'
  /** The full value of the text. */
  value?: number
  figure?: Figure
  /** The place of the figure, or of all figures of a row. */
  path?: string
}

export interface Table {
  title: string
  about: string
  head: string[]
  /** Titles that span several columns, except the first. */
  groups?: { title: string; span: number }[]
  /** The first cell of a row is its name. */
  rows: Cell[][]
  /** Columns with words, in addition to the first. */
  words?: readonly number[]
}

type Scenarios = Pick<Report, 'scenarios'>

const FAILED: Cell = { text: 'failed', tone: 'failed' }
const MISSING: Cell = { text: '–', tone: 'missing' }

/** A figure with its ratio, unless it is of the reference itself. Without `judge` it is neither better nor worse. */
function figureCell(figure: Figure, isReference: boolean, judge: boolean, path?: string): Cell {
  const { ratio, interval, median, better } = figure
  const cell = { text: text.formatFigure(figure), value: median, figure, ...(path !== undefined && { path }) }
  if (isReference || ratio === null) return cell
  // By more than a tenth, and the interval leaves no doubt of the direction.
  const isSure = !interval || interval[0] > 1 || interval[1] < 1
  const worse = better === 'lower' ? ratio : 1 / ratio
  const tone = worse > NOTABLE ? 'worse' : worse < 1 / NOTABLE ? 'better' : undefined
  return {
    ...cell,
    ratio: text.formatRatio(ratio),
    ...(interval && { interval: text.formatInterval(interval) }),
    ...(judge && isSure && tone && { tone }),
  }
}

/** Returns the figures that any arm has in these cases, one of each kind, in their order. */
export function getKinds(cases: readonly CaseReport[]): Figure[] {
  const figures = cases.flatMap(({ results }) => results.flatMap(result => result.figures))
  return [...new Set(figures.map(({ id }) => id))].map(id => figures.find(figure => figure.id === id)!)
}

/**
 * Medians with their ratios: one row for each arm or for each case, as the scenario asks for. `all` adds the figures that stand aside.
 * Without `judge`, the noise check failed, or has no result yet: nothing is better or worse then.
 */
export function scenarioTable(
  scenario: ScenarioReport,
  { all = false, judge = true }: { all?: boolean; judge?: boolean } = {},
): Table {
  const { id, title, about, arms, cases, reference, rows: kindOfRows } = scenario
  const byArms = kindOfRows === 'arms'
  const isShown = ({ aside }: Figure): boolean => all || !aside
  const getCell = (inCase: CaseReport, arm: ArmReport, kind: Figure | undefined): Cell => {
    const result = inCase.results.find(entry => entry.arm === arm.id)
    if (result?.error !== undefined) return FAILED
    const figure = result?.figures.find(entry => (kind ? entry.id === kind.id : isShown(entry)))
    const path = [id, inCase.id, arm.id, figure?.id].join('/')
    return figure ? figureCell(figure, arm.id === reference, judge, path) : MISSING
  }
  const groups: { title: string; kinds: (Figure | undefined)[] }[] = byArms
    ? cases.map(inCase => ({ title: inCase.title, kinds: getKinds([inCase]).filter(isShown) }))
    : arms.map(arm => ({ title: arm.title, kinds: all ? getKinds(cases) : [undefined] }))
  const columns = groups.flatMap((group, at) => group.kinds.map(kind => ({ at, kind, group: group.title })))
  const hasOneKind = columns.length === groups.length && new Set(columns.map(({ kind }) => kind?.title)).size === 1
  const showsKinds = all ? !hasOneKind : byArms
  const sized = new Set(cases.map(({ payloadBytes }) => payloadBytes)).size > 1
  const what = hasOneKind ? `${title}, ${columns[0]!.kind?.title}: median` : `${title}: medians`
  return {
    title: all ? `${what}, and below each its ratio to the reference with its 95 % interval` : title,
    about,
    head: ['', ...columns.map(({ kind, group }) => (kind && showsKinds ? kind.title : group))],
    ...(all && showsKinds && { groups: groups.map(group => ({ title: group.title, span: group.kinds.length })) }),
    rows: byArms
      ? arms.map(arm => [
          { text: arm.title, ...(all && arm.id === reference && { ratio: 'reference' }) },
          ...columns.map(({ at, kind }) => getCell(cases[at]!, arm, kind)),
        ])
      : cases.flatMap(inCase => {
          const kinds = all ? [undefined] : getKinds([inCase]).filter(isShown)
          return kinds.map(row => [
            {
              text: kinds.length > 1 ? `${inCase.title}, ${row!.title}` : inCase.title,
              ...(sized && { ratio: text.formatBytes(inCase.payloadBytes) }),
            },
            ...columns.map(({ at, kind }) => getCell(inCase, arms[at]!, kind ?? row)),
          ])
        }),
  }
}

/** The shapes of traffic, what an open bus takes, and the cost of safety: each row with the figure of its reference. */
const DIGEST = text.readTable(`
  steady, p50                | shapes/steady/raw/p50
  burst, p50                 | shapes/burst/raw/p50
  sparse, p50                | shapes/sparse/raw/p50
  64 in flight               | shapes/64/raw/rate
  20,000/s offered, p50      | shapes/open-20k/raw/p50
  20,000/s offered, p99      | shapes/open-20k/raw/p99
  60,000/s offered, p50      | shapes/open-60k/raw/p50
  60,000/s offered, p99      | shapes/open-60k/raw/p99
  idle CPU                   | idle/idle/raw/cpu
  idle memory                | idle/idle/raw/rss
  GitHub pull request        | documents/github-pull-request/raw/p50
  DevTools as JSON           | documents/devtools/raw/p50
  DevTools as bytes          | documents/devtools-bytes/raw/p50
  events, core → frontend    | events/in/raw/rate
  events, frontend → core    | events/out/raw/rate
  channel, core → frontend   | channel/channel/raw/rate
  start to first reply *     | start/start/worker/time
`) as [title: string, path: string][]

/** The columns of the digest after the reference: titles and arms. */
const DIGEST_ARMS = [
  ['birpc', 'birpc'],
  ['ring', 'ring-json'],
  ['port', 'port-json'],
  ['isolation', 'isolation-ring-json'],
] as const

/** False if the run failed its noise check: nothing is better or worse then. */
export const isJudged = ({ noise }: Pick<Report, 'noise'>): boolean => noise?.outcome !== 'too noisy'

/** The table that a run ends with; `undefined` if there is nothing to compare with a reference. */
export function digestTable(report: Pick<Report, 'scenarios' | 'noise'>): Table | undefined {
  const rows = DIGEST.flatMap(([title, path]): Cell[][] => {
    const others = DIGEST_ARMS.map(([, arm]) => path.replace(/\/(raw|worker)\//, `/${arm}/`))
    const [first, ...figures] = [path, ...others].map(entry => findFigure(report, entry))
    if (!figures.some(Boolean)) return []
    const cells = [first, ...figures].map((figure, at) =>
      figure ? figureCell(figure, at === 0, isJudged(report)) : MISSING,
    )
    return [[{ text: title }, ...cells]]
  })
  if (rows.length === 0) return undefined
  const about =
    '× is the ratio to the reference: of a time less is better, of a rate (/s) more. Ring and port are brownfield.'
  const starred = rows.some(([name]) => name?.text.endsWith('*'))
  return {
    title: 'In short',
    about: starred ? `${about} * The reference of a start is one empty Worker.` : about,
    head: ['', 'raw MessagePort', ...DIGEST_ARMS.map(([title]) => title)],
    rows,
  }
}

const GOAL_TONES = { met: { tone: 'better' }, missed: { tone: 'worse' }, 'too noisy': {} } as const

/** The four figures that a reader wants first, of those that the run measured. */
const HEADLINES = text.readTable(`
  A call, one after the other          | shapes/steady/ring-json/p50
  Calls, 64 in flight                  | shapes/64/ring-json/rate
  A call in isolation: hook and cipher | shapes/steady/isolation-ring-json/p50
  Start to first reply                 | start/start/ring-json/time
`) as [title: string, path: string][]

export const getHeadlines = (report: Scenarios): { title: string; cell: Cell; reference: string }[] =>
  HEADLINES.flatMap(([title, path]) => {
    const place = everyFigure(report).find(entry => entry.path === path)
    if (!place) return []
    const { arms, reference: id } = place.scenario
    const { title: reference } = arms.find(arm => arm.id === id)!
    return [{ title, cell: figureCell(place.figure, false, false), reference }]
  })

/** Goals that the run measured, or `only` those with one outcome; `undefined` without one. */
export function goalsTable({ goals }: Pick<Report, 'goals'>, only?: GoalReport['outcome']): Table | undefined {
  const shown = goals.filter(({ outcome }) => only === undefined || outcome === only)
  if (shown.length === 0) return undefined
  const count = (outcome: GoalReport['outcome']): number => goals.filter(goal => goal.outcome === outcome).length
  const score = count('too noisy') > 0 ? 'not judged' : `${count('met')} met, ${count('missed')} missed`
  return {
    title: `Goals: ${score}`,
    about:
      'Each figure against its reference in this run; × is the ratio round by round, of times (less is better)' +
      ' or of rates (more is). The record of decisions (ADR) of a missed goal says what is known about it.',
    head: ['', 'against', 'measured', 'goal', ''],
    rows: shown.map(({ work, reference, measured, bound, goal, compare, outcome, adr }) => [
      { text: work },
      { text: reference },
      measured === null ? FAILED : { text: text.formatGoal(measured, compare) },
      { text: `${bound === 'at most' ? '≤' : '≥'} ${text.formatGoal(goal, compare)}` },
      { text: outcome === 'missed' ? `missed, ADR ${adr}` : outcome, ...GOAL_TONES[outcome] },
    ]),
    words: [1, 4],
  }
}

/** Where the time of the isolation pattern goes. Each step is the difference of two arms, which differ in one thing. */
const STEPS = text.readTable(`
  brownfield         | ring-json                          | measured
  + through the gate | pass-ring-json ring-json           | a gate whose hook returns its argument, without the cipher − brownfield
  + hook             | hook-ring-json pass-ring-json      | a gate with a checking hook, without the cipher − the one before
  + cipher           | isolation-ring-json hook-ring-json | isolation as it is used − the one before
  isolation          | isolation-ring-json                | measured
`) as [title: string, arms: string, derivation: string][]

/** The steps from a brownfield call to an isolated one, if each arm was measured. `bars` is the length of the longest bar, if any. */
export function costTable(report: Scenarios, bars?: number): Table | undefined {
  // With many in flight the threads work at the same time: the work of one thread does not show as a difference of rates.
  const getTime = (path: string): number => {
    const { unit, median = NaN } = findFigure(report, path) ?? {}
    return unit === '/s' ? 1e6 / median : median
  }
  const steps = STEPS.map(([title, arms, derivation]) => {
    const times = ['1/ARM/p50', '64/ARM/rate'].map(path => {
      const [time, before = 0] = arms.split(' ').map(arm => getTime(`isolation/${path.replace('ARM', arm)}`))
      return time! - before
    })
    return { title, derivation, times }
  })
  if (steps.some(({ times }) => times.some(Number.isNaN))) return undefined
  const total = Math.max(...steps.map(({ times }) => times[0]!))
  const drawBar = (us: number): string => '█'.repeat(Math.max(0, Math.round((us / total) * (bars ?? 0))))
  return {
    title: 'Cost of isolation',
    about: 'With JSON, from a brownfield call to an isolated one. A step below zero is noise.',
    head: ['', 'a call alone', 'each of 64 in flight', bars === undefined ? 'derived from' : ''],
    rows: steps.map(({ title, derivation, times }) => [
      { text: title },
      ...times.map(us => ({ text: text.duration(us) })),
      { text: bars === undefined ? derivation : drawBar(times[0]!) },
    ]),
    words: [3],
  }
}

/** The noise check; `undefined` if the run had none. */
export function noiseTable({ noise }: Pick<Report, 'noise'>): Table | undefined {
  if (!noise) return undefined
  const format = (value: number): string => `${value.toPrecision(4)}×`
  return {
    title: 'Noise check',
    about: 'Arms that were measured against themselves. If one differs from itself, nothing is judged.',
    head: ['', 'ratio', 'from', 'to'],
    rows: noise.checks.map(({ figure, ratio, interval }) =>
      [figure, ...[ratio, ...interval].map(format)].map(words => ({ text: words })),
    ),
  }
}

/** Says of every arm that failed in which case, or `*` if it failed with one error in all of a scenario. */
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
