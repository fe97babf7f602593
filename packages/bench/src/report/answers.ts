// What a report answers before its tables. Each answer is a table, some with a sentence if the machine was quiet. One rule holds for all: what has no
// interval is a range, and supports no sentence.
// 1. which codec to take for which size, and what encryption adds (`formats`, and each payload of the user)
// 2. what each sandbox costs (`plugin`, or `sandboxes`)
// 3. how fast each format is (`formats`, `load`)
// 4. what sealing and opening take alone (`cipher`)
// 5. what the hook adds (`formats`)
// 6. what the first call of a program costs (`few-calls`)
// 7. what rings gain, and when they lose (`shapes`)
import type { Tone } from '@sallyport/compare/internal/screen'
import type { Judgement, Range } from '@sallyport/compare/internal/statistics'
import {
  ENOUGH_ROUNDS,
  estimateDifference,
  getSpread,
  judgeChange,
  toChange,
} from '@sallyport/compare/internal/statistics'
import { count, duration } from '@sallyport/compare/internal/text'
import { MANY, NOISE, PAYLOAD_PREFIX } from '../model/scenario.js'
import { capitalize, formatFigure, formatInterval, formatRange, formatRatio } from '../shared/text.js'
import { type CaseReport, type Figure, findFigure, type Report, type ScenarioReport } from './report.js'
import { getExtremes, isTooNoisy } from './verdict.js'

export interface Cell {
  text: string
  /** Next to or below the text: the ratio of a figure to its reference. */
  note?: string
  /** The interval of the ratio, which is left out if the screen is narrow. */
  interval?: string
  tone?: Tone
}

export interface Table {
  title: string
  /** What the figures say. A run that failed its noise check says nothing. */
  sentence?: string
  about: string
  /** Titles. The first column contains the names of the rows. */
  columns: readonly string[]
  /** Columns of words, from the left. @default 1 */
  names?: number
  rows: Cell[][]
}

const isTold = (judgement: Judgement): boolean => judgement === 'slower' || judgement === 'faster'

const MISSING: Cell = { text: '–', tone: 'missing' }
const FAILED: Cell = { text: 'failed', tone: 'failed' }

/** The smallest factor that counts as a difference. Smaller ones are usual on a shared machine. */
const NOTABLE = 1.05

const hasFew = (processes: Figure['processes']): boolean => processes.flat().length < ENOUGH_ROUNDS

/** Draws the figures of one run: to three digits with their ratios, or as ranges if the machine was too noisy. */
export class Cells {
  readonly isNoisy: boolean
  readonly #notable: number

  constructor({ noise }: Pick<Report, 'noise'>) {
    this.isNoisy = isTooNoisy({ noise })
    this.#notable = Math.max(NOTABLE, getExtremes(noise?.checks ?? []).most)
  }

  /**
   * Judges a figure against its reference: it is slower or faster if its whole interval is beyond what two identical arms differ by. Nothing is clear
   * in a run that is too noisy.
   */
  judge({ ratio, interval, better }: Figure): Judgement {
    const change = toChange(ratio, interval, better)
    return this.isNoisy || !change ? 'unclear' : judgeChange(change, this.#notable)
  }

  /** The median, or a range: of a noisy run, of few rounds, and of rounds that differ by much. */
  format({ median, range, unit, processes }: Figure): string {
    if (this.isNoisy || hasFew(processes)) return formatRange(getSpread(processes), unit)
    return range ? formatRange(range, unit) : formatFigure({ median, unit })
  }

  /** A figure with its ratio. The reference has none. */
  draw(figure: Figure | undefined, isReference: boolean): Cell {
    if (!figure) return MISSING
    const { ratio, interval } = figure
    const cell: Cell = { text: this.format(figure) }
    if (isReference || ratio === null || interval === null || this.isNoisy) return cell
    const judgement = this.judge(figure)
    if (judgement === 'slower') cell.tone = 'worse'
    if (judgement === 'faster') cell.tone = 'better'
    return { ...cell, note: formatRatio(ratio), interval: formatInterval(interval) }
  }
}

function getKinds({ results }: CaseReport): Figure[] {
  const figures = results.flatMap(result => result.figures)
  return [...new Map(figures.map(figure => [figure.id, figure])).values()]
}

/** Medians with their ratios: arms in rows and figures in columns, or the reverse if the scenario has a row for each case. */
export function scenarioTable({ title, about, arms, cases, reference, rows }: ScenarioReport, cells: Cells): Table {
  const figures = cases.flatMap(inCase =>
    getKinds(inCase).map(({ id, title: kind }, _, { length }) => ({
      ...{ inCase, id, kind },
      name: length > 1 ? `${inCase.title}, ${kind}` : inCase.title,
    })),
  )
  const getCell = ({ inCase, id }: (typeof figures)[number], arm: string): Cell => {
    const result = inCase.results.find(entry => entry.arm === arm)
    const figure = result?.figures.find(entry => entry.id === id)
    return result?.error === undefined ? cells.draw(figure, arm === reference) : FAILED
  }
  if (rows === 'cases')
    return {
      ...{ title, about },
      columns: ['', ...arms.map(arm => arm.title)],
      rows: figures.map(figure => [{ text: figure.name }, ...arms.map(({ id }) => getCell(figure, id))]),
    }
  return {
    ...{ title, about },
    columns: ['', ...figures.map(({ kind }) => kind)],
    rows: arms.map(arm => [{ text: arm.title }, ...figures.map(figure => getCell(figure, arm.id))]),
  }
}

/** @param what - the title of the first column */
const nameRows = (table: Table, what: string): Table => ({ ...table, columns: [what, ...table.columns.slice(1)] })

/** The tables of all scenarios but those that are answers as they are. */
export function getTables(report: Report): { scenario: ScenarioReport; table: Table }[] {
  const cells = new Cells(report)
  return report.scenarios
    .filter(({ id }) => id !== 'cipher')
    .toSorted((a, b) => Number(a.id === NOISE) - Number(b.id === NOISE))
    .map(scenario => ({ scenario, table: scenarioTable(scenario, cells) }))
}

/** Answers what the run measured. */
export function getAnswers(report: Pick<Report, 'scenarios' | 'noise'>): Table[] {
  const cells = new Cells(report)
  const isMeasured = (wanted: string): boolean => report.scenarios.some(({ id }) => id === wanted)
  const isOfFormats = ({ id }: ScenarioReport): boolean => id === 'formats' || id.startsWith(PAYLOAD_PREFIX)
  const answerFrom = (id: string, answer: (scenario: ScenarioReport) => Table): Table[] =>
    report.scenarios.filter(scenario => scenario.id === id).map(answer)
  const sizes = report.scenarios.filter(isOfFormats).map(scenario => new Sizes(scenario, cells))
  const answers = [
    ...(cells.isNoisy ? [] : sizes.map(answerChoice)),
    ...answerFrom(isMeasured('plugin') ? 'plugin' : 'sandboxes', scenario => ({
      ...nameRows(answerStarts(scenario, cells, ['ready', 'pss', 'seldom'], 'its first call'), 'sandbox'),
      title: 'What does a plugin cost in each sandbox?',
      about:
        'The first plugin of its kind in a running host, sorted by its start; × is the ratio to a raw Worker in the same rounds, which checks nothing',
    })),
    ...sizes.map(each => answerFormats(each, report)),
    ...answerFrom('cipher', scenario => ({
      ...nameRows(scenarioTable(scenario, cells), 'CPU time'),
      title: 'What do sealing and opening take alone?',
    })),
    ...sizes.map(answerHook),
    ...answerFrom('few-calls', scenario => ({
      ...nameRows(answerStarts(scenario, cells, ['import', 'p50', 'cpu'], 'the first answer of a program'), 'program'),
      title: 'What does the first call of a program cost?',
      about:
        'A fresh program, sorted by the time from before its import to the first answer; × is the ratio to a raw MessagePort',
    })),
    ...answerFrom('shapes', scenario => answerRings(scenario, cells)),
  ]
  const measured = answers.filter(({ rows }) => rows.some(([, ...row]) => row.some(({ tone }) => tone !== 'missing')))
  if (cells.isNoisy) for (const answer of measured) delete answer.sentence
  return measured
}

/** Draws the time that one arm takes more than another. Of few rounds, the range of eight of ten stands for the interval. */
export function drawDifference(
  figure: Figure | undefined,
  before: Figure | undefined,
  { isNoisy }: Pick<Cells, 'isNoisy'>,
): Cell {
  const estimate = figure && before && estimateDifference(figure.processes, before.processes)
  if (!estimate) return MISSING
  const isOfFew = estimate.rounds < ENOUGH_ROUNDS
  const range = isOfFew ? estimate.spread : estimate.interval
  const isRange = isNoisy || isOfFew
  // It cannot be told from nothing: then it is below the end of the range that is farther from nothing.
  if (range[0] <= 0)
    return { text: 'not measurable', ...(!isRange && { note: `below ${duration(Math.max(...range.map(Math.abs)))}` }) }
  if (isRange) return { text: formatRange(range, 'µs') }
  return { text: `+${duration(estimate.value)}`, note: formatRange(range, 'µs') }
}

const FORMATS = [
  { format: 'json', title: 'JSON-RPC' },
  { format: 'msgpack', title: 'MessagePack' },
  { format: 'bytes', title: 'bytes' },
] as const

type Format = (typeof FORMATS)[number]['format']

/** An arm differs from the one with the layer before it in one thing: the hook, or encryption alone. */
type Layer = '' | 'hook-' | 'isolation-'
const BEFORE = { 'hook-': '', 'isolation-': 'hook-' } as const

/** The sizes of a scenario of formats. */
class Sizes {
  readonly list: CaseReport[]

  constructor(
    readonly scenario: ScenarioReport,
    readonly cells: Cells,
  ) {
    this.list = scenario.cases.filter(({ id }) => !id.endsWith(MANY))
  }

  /** The title of a payload of the user. */
  get ofUser(): string | undefined {
    return this.scenario.id.startsWith(PAYLOAD_PREFIX) ? this.scenario.title : undefined
  }

  find(path: string): Figure | undefined {
    return findFigure({ scenarios: [this.scenario] }, `${this.scenario.id}/${path}`)
  }

  cpu(id: string, format: Format, layer: Layer = ''): Figure | undefined {
    return this.find(`${id}${MANY}/${layer}ring-${format}/cpu`)
  }

  /** The CPU time that a layer adds. */
  added(id: string, format: Format, layer: keyof typeof BEFORE): Cell {
    return drawDifference(this.cpu(id, format, layer), this.cpu(id, format, BEFORE[layer]), this.cells)
  }
}

const [JSON_RPC, MESSAGE_PACK] = ['JSON-RPC, the default', "codec: 'msgpack'"] as const

/** What to take for each size by the CPU time of many messages, as far as the formats differ. */
function answerChoice(sizes: Sizes): Table {
  const draw = (take: string, other: string, ratio: number, interval: Range): Cell[] => {
    const factor: Cell = { text: formatRatio(ratio), note: formatInterval(interval), tone: 'better' }
    return [{ text: take }, { text: other }, factor]
  }
  const choose = (figure: Figure): Cell[] => {
    const { ratio, interval, processes } = figure
    const judgement = sizes.cells.judge(figure)
    if (!isTold(judgement) || !ratio || !interval) {
      const rounds = count(processes.flat().length, 'round')
      return ['either codec', '–', `no difference can be told of ${rounds}`].map(text => ({ text }))
    }
    if (judgement === 'faster') return draw(MESSAGE_PACK, JSON_RPC, ratio, interval)
    return draw(JSON_RPC, MESSAGE_PACK, 1 / ratio, [1 / interval[1], 1 / interval[0]])
  }
  return {
    title: sizes.ofUser ? `How to send ${sizes.ofUser}?` : 'Which codec to take, and what does encryption add?',
    about:
      'The factor is of the CPU time of all threads for one message there and back, while many are in flight, with its 95 % interval.' +
      ' Encryption, a part of the isolation pattern, adds so much to a message in the codec to take, and with either in JSON-RPC',
    columns: ['what you send', 'take', 'instead of', 'CPU time', 'encryption adds'],
    names: 3,
    rows: sizes.list.flatMap(({ id, title }) => {
      const figure = sizes.cpu(id, 'msgpack')
      if (!figure) return []
      const chosen = choose(figure)
      const taken = chosen[0]!.text === MESSAGE_PACK ? 'msgpack' : 'json'
      return [[{ text: title }, ...chosen, sizes.added(id, taken, 'isolation-')]]
    }),
  }
}

const SPEEDS = ['what you send', 'CPU time', 'latency alone', 'messages a second', 'bytes a second']
const LOADS = ['p99 at half load', 'p99 below 5 ms up to']

/** The speed of each format without isolation, and what it bears, if that was measured. */
function answerFormats(sizes: Sizes, report: Pick<Report, 'scenarios'>): Table {
  const { cells } = sizes
  const rows = sizes.list.flatMap(({ id, title, payloadBytes }) =>
    FORMATS.map(({ format, title: name }): Cell[] => {
      const draw = (figure: Figure | undefined): Cell => cells.draw(figure, format === 'json')
      const rate = sizes.find(`${id}${MANY}/ring-${format}/rate`)
      return [
        { text: `${title} as ${name}` },
        ...[sizes.cpu(id, format), sizes.find(`${id}/ring-${format}/p50`), rate].map(draw),
        rate ? { text: cells.format(scale(rate, payloadBytes)).replaceAll('/s', 'B/s') } : MISSING,
        ...['p99', 'limit'].map(kind => draw(findFigure(report, `load/${id}/ring-${format}/${kind}`))),
      ]
    }),
  )
  const isLoadMeasured = rows.some(row => row.at(-1)!.tone !== 'missing')
  const columns = [...SPEEDS, ...(isLoadMeasured ? LOADS : [])]
  return {
    title: sizes.ofUser ? `How fast is ${sizes.ofUser}, in each format?` : 'How fast is each format?',
    about:
      'Of one message there and back, without isolation: the CPU time of all threads while many are in flight, and the latency of one alone.' +
      ' The rates are of those in flight; each byte counts once. × is the ratio to JSON-RPC',
    columns,
    rows: rows.map(row => row.slice(0, columns.length)),
  }
}

const scale = ({ median, range, processes, ...figure }: Figure, factor: number): Figure => ({
  ...{ ...figure, median: median * factor, processes: processes.map(rounds => rounds.map(value => value * factor)) },
  ...(range && { range: [range[0] * factor, range[1] * factor] }),
})

const answerHook = (sizes: Sizes): Table => ({
  title: 'What does a hook cost?',
  about: 'CPU time of all threads that a message takes more with a hook, without encryption',
  columns: ['CPU time added', ...sizes.list.map(({ title }) => title)],
  rows: FORMATS.map(({ format, title: name }) => [
    { text: name },
    ...sizes.list.map(({ id }) => sizes.added(id, format, 'hook-')),
  ]),
})

/** Sorted by the first of the figures. @param until - what it ends with */
function answerStarts(scenario: ScenarioReport, cells: Cells, figures: readonly string[], until: string): Table {
  const [inCase] = scenario.cases as [CaseReport]
  const find = (arm: string): Figure | undefined =>
    inCase.results.find(result => result.arm === arm)?.figures.find(({ id }) => id === figures[0])
  const arms = scenario.arms.filter(({ id }) => find(id)).toSorted((a, b) => find(a.id)!.median - find(b.id)!.median)
  const results = inCase.results.map(result => ({
    ...result,
    figures: figures.flatMap(id => result.figures.find(figure => figure.id === id) ?? []),
  }))
  const told = arms.flatMap(({ id, title }) => {
    const figure = find(id)!
    if (title.startsWith('raw ') || !isTold(cells.judge(figure))) return []
    return `${title} takes ${formatRatio(figure.ratio!)} (${formatInterval(figure.interval!)})`
  })
  const ends = [...new Set([...told.slice(0, 1), ...told.slice(-1)])].join(' and ')
  const reference = scenario.arms.find(({ id }) => id === scenario.reference)!.title
  const table = scenarioTable({ ...scenario, arms, cases: [{ ...inCase, results }] }, cells)
  return ends ? { ...table, sentence: `To ${until}, ${ends} the time of a ${reference}.` } : table
}

function answerRings(scenario: ScenarioReport, cells: Cells): Table {
  const arms = scenario.arms.filter(({ id }) => id === 'port-json' || id === 'ring-json')
  const judged = scenario.cases.flatMap(({ title, results }) => {
    const [figure] = results.find(({ arm }) => arm === 'ring-json')?.figures ?? []
    return figure ? { title, judgement: cells.judge(figure), rounds: figure.processes.flat().length } : []
  })
  const list = (...wanted: string[]): string =>
    judged.flatMap(({ title, judgement }) => (wanted.includes(judgement) ? title : [])).join(', ')
  const [gains, losses, others] = [list('faster'), list('slower'), list('same', 'unclear')]
  const rounds = Math.min(...judged.map(entry => entry.rounds))
  const parts = [
    gains && `a ring is faster than a port for ${gains}`,
    losses && `${gains ? '' : 'a ring is '}slower than a port for ${losses}`,
    others && `no difference can be told of ${count(rounds, 'round')} for ${others}`,
  ]
  return {
    ...nameRows(scenarioTable({ ...scenario, arms }, cells), 'latency, or a second'),
    title: 'What do rings gain, and when do they lose?',
    sentence: `${capitalize(parts.filter(Boolean).join('; '))}.`,
    about: 'A ring of shared memory beside a port of messages, both with JSON-RPC',
  }
}
