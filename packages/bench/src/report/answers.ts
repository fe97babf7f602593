// What a report answers before its tables. Each answer is a table, some with a sentence. One rule holds for all: what has no interval is a range, and
// supports no sentence, and neither does what was measured beside identical arms that differ.
// 1. what messages cost, and what a codec, the hook and encryption change (`formats`, `sizes`, and each payload of the user)
// 2. what each sandbox costs (`plugin`, or `sandboxes`)
// 3. how fast each format is (`speed`, and each payload of the user)
// 4. what sealing and opening take alone (`cipher`)
// 5. what the first call of a program costs (`few-calls`)
// 6. what rings gain, and when they lose (`shapes`)
import type { Tone } from '#measure/screen'
import type { Judgement } from '#measure/statistics'
import { ENOUGH_ROUNDS, estimateDifference, getSpread, judgeChange, toChange } from '#measure/statistics'
import { count, duration, formatValue } from '#measure/text'
import { ALONE, PAYLOAD_PREFIX } from '../model/scenario.js'
import { capitalize, formatInterval, formatRange, formatRatio, formatRound, listWords } from '../shared/text.js'
import { type CaseReport, type Figure, findFigure, type Report, type ScenarioReport } from './report.js'
import { getLeftOut, isRefused } from './noise.js'

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
  /** The scenario that an answer is of. */
  of?: string
  /** What the figures say, for a person. */
  sentence?: string
  about: string
  /** What ratios refer to. @default the first row or column */
  reference?: string
  /** Titles. The first column contains the names of the rows. */
  columns: readonly string[]
  /** The columns of the last screen of a run, which is small. @default none */
  first?: readonly number[]
  /** Columns of words, from the left. @default 1 */
  names?: number
  rows: Cell[][]
}

const isTold = (judgement: Judgement): boolean => judgement === 'slower' || judgement === 'faster'

const MISSING: Cell = { text: '–', tone: 'missing' }
const FAILED: Cell = { text: 'failed', tone: 'failed' }

const hasFew = (processes: Figure['processes']): boolean => processes.flat().length < ENOUGH_ROUNDS

/** Draws the figures of one case: to three digits with their ratios, or as ranges if identical arms differ. */
export class Cells {
  readonly isRefused: boolean
  readonly #leftOut: number

  constructor(inCase: Pick<CaseReport, 'results'>) {
    this.isRefused = isRefused(inCase)
    this.#leftOut = getLeftOut(inCase)
  }

  /** Judges a figure against its reference: it is slower or faster if its whole interval is, beyond what the interval of identical arms leaves out. */
  judge({ ratio, interval, better }: Figure): Judgement {
    const change = toChange(ratio, interval, better)
    return this.isRefused || !change ? 'unclear' : judgeChange(change, this.#leftOut)
  }

  /** The median, or a range: of what is refused, of few rounds, and of rounds that differ by much. */
  format({ median, range, unit, processes }: Figure): string {
    if (this.isRefused || hasFew(processes)) return formatRange(getSpread(processes), unit)
    return range ? formatRange(range, unit) : formatValue(median, unit)
  }

  /** A figure with its ratio. The reference has none. */
  draw(figure: Figure | undefined, isReference: boolean): Cell {
    if (!figure) return MISSING
    const { ratio, interval } = figure
    const cell: Cell = { text: this.format(figure) }
    if (isReference || ratio === null || interval === null || this.isRefused) return cell
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

/** Medians with their ratios: arms in rows and figures in columns, or the reverse if the scenario has a row for each case. @param what - the first column */
export function scenarioTable({ title, about, arms, cases, reference, rows }: ScenarioReport, what = ''): Table {
  const figures = cases.flatMap(inCase =>
    getKinds(inCase).map(({ id, title: kind }, _, { length }) => ({
      ...{ inCase, id, kind },
      name: length > 1 ? `${inCase.title}, ${kind}` : inCase.title,
    })),
  )
  const getCell = ({ inCase, id }: (typeof figures)[number], arm: string): Cell => {
    const result = inCase.results.find(entry => entry.arm === arm)
    const figure = result?.figures.find(entry => entry.id === id)
    return result?.error === undefined ? new Cells(inCase).draw(figure, arm === reference) : FAILED
  }
  const columns = [what, ...(rows === 'cases' ? arms.map(arm => arm.title) : figures.map(({ kind }) => kind))]
  const drawn =
    rows === 'cases'
      ? figures.map(figure => [{ text: figure.name }, ...arms.map(({ id }) => getCell(figure, id))])
      : arms.map(arm => [{ text: arm.title }, ...figures.map(figure => getCell(figure, arm.id))])
  return { title, about, columns, rows: drawn }
}

const getReference = ({ arms, reference }: ScenarioReport): string => arms.find(({ id }) => id === reference)!.title

/** The tables of all scenarios but those that are answers as they are. */
export const getTables = ({ scenarios }: Report): { scenario: ScenarioReport; table: Table }[] =>
  scenarios
    .filter(({ id }) => id !== 'cipher')
    .map(scenario => {
      return { scenario, table: withReference({ ...scenarioTable(scenario), reference: getReference(scenario) }) }
    })

/** Answers what the run measured. */
export function getAnswers(report: Pick<Report, 'scenarios'>): Table[] {
  const isMeasured = (wanted: string): boolean => report.scenarios.some(({ id }) => id === wanted)
  const answerFrom = (ids: string | RegExp, answer: (scenario: ScenarioReport) => Table): Table[] =>
    report.scenarios
      .filter(({ id }) => (typeof ids === 'string' ? id === ids : ids.test(id)))
      .map(scenario => ({ ...answer(scenario), of: scenario.id }))
  const answers = [
    ...answerFrom(OF_FORMATS, scenario => answerChoice(new Sizes(scenario))),
    ...answerFrom(isMeasured('plugin') ? 'plugin' : 'sandboxes', scenario => {
      const isWhole = scenario.id === 'plugin'
      const figures = isWhole ? ['ready', 'p50', 'rate', 'next'] : ['ready', 'pss', 'seldom']
      const more = isWhole
        ? ['a call back to back', 'calls a second', 'memory of each further plugin']
        : ['memory', 'a call after 20 ms']
      return {
        ...answerStarts(scenario, figures, 'sandbox'),
        columns: ['sandbox', 'start', ...more],
        title: 'What does a plugin cost in each sandbox?',
        about:
          'The first plugin of its kind in a running host, sorted by its start, until its first call. A raw Worker checks nothing',
        first: isWhole ? [0, 1, 2, 3, 4] : [0, 1, 2, 3],
      }
    }),
    ...answerFrom(OF_SPEED, scenario => answerFormats(new Sizes(scenario))),
    ...answerFrom('cipher', scenario => ({
      ...scenarioTable(scenario, 'CPU time'),
      title: 'What do sealing and opening take alone?',
    })),
    ...answerFrom('few-calls', scenario => ({
      ...answerStarts(scenario, ['import', 'p50', 'cpu'], 'program'),
      title: 'What does the first call of a program cost?',
      about: 'A fresh program, sorted by the time from before its import to the first answer',
    })),
    ...answerFrom('shapes', scenario => ({
      ...scenarioTable(scenario, 'latency, or a second'),
      title: 'What do rings gain, and when do they lose?',
      about: 'A ring of shared memory, the default, beside a port of messages, both with JSON-RPC',
    })),
  ]
  return answers
    .filter(({ rows }) => rows.some(([, ...row]) => row.some(({ tone }) => tone !== 'missing')))
    .map(withReference)
}

/** Explains × where it stands, and nowhere else. */
const withReference = (table: Table): Table => {
  const hasRatios = table.rows.flat().some(({ note = '' }) => note.endsWith('×'))
  return hasRatios
    ? { ...table, about: `${table.about}; × is the ratio to ${table.reference ?? 'the first'} in the same rounds` }
    : table
}

/** Draws the time that one arm takes more than another. Of few rounds, the range of eight of ten stands for the interval. */
export function drawDifference(
  figure: Figure | undefined,
  before: Figure | undefined,
  { isRefused: isNoisy }: Pick<Cells, 'isRefused'>,
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

/** An arm differs from the one with the layer before it in one thing: the hook, or encryption alone. */
type Layer = '' | 'hook-' | 'isolation-'
const BEFORE = { 'hook-': '', 'isolation-': 'hook-' } as const

const OF_FORMATS = RegExp(`^(formats|sizes|${PAYLOAD_PREFIX}.*)$`)
const OF_SPEED = RegExp(`^(speed|${PAYLOAD_PREFIX}.*)$`)

/** The sizes of a scenario of formats. */
class Sizes {
  readonly list: CaseReport[]

  constructor(readonly scenario: ScenarioReport) {
    this.list = scenario.cases.filter(({ id, results }) => !id.endsWith(ALONE) && results.length > 0)
  }

  /** The title of a payload of the user. */
  get ofUser(): string | undefined {
    return this.scenario.id.startsWith(PAYLOAD_PREFIX) ? this.scenario.title : undefined
  }

  find(path: string): Figure | undefined {
    return findFigure({ scenarios: [this.scenario] }, `${this.scenario.id}/${path}`)
  }

  cpu(id: string, format: 'json' | 'msgpack' | 'bytes', layer: Layer = ''): Figure | undefined {
    return this.find(`${id}/${layer}ring-${format}/cpu`)
  }

  /** The CPU time that a layer adds. */
  added({ id, results }: CaseReport, layer: keyof typeof BEFORE): Cell {
    return drawDifference(this.cpu(id, 'json', layer), this.cpu(id, 'json', BEFORE[layer]), new Cells({ results }))
  }

  /** Names a size within a sentence: `a 100 B call`, `1 MiB of bytes`, `payload order (23 B)`. */
  name({ title }: CaseReport): string {
    if (this.ofUser) return `payload ${this.ofUser.replace(/, ([^,]+)$/, ' ($1)')}`
    return / (call|document)$/.test(title) ? `a ${title}` : title
  }
}

const toPercent = (ratio: number): number => Math.round(Math.abs(ratio - 1) * 100)

const NO_DIFFERENCE = 'no measurable difference'

/** How the CPU time of MessagePack compares with that of JSON-RPC: by how much, in which interval, or that no difference was found. */
function compareCodecs(sizes: Sizes, inCase: CaseReport): Cell {
  const figure = sizes.cpu(inCase.id, 'msgpack')
  if (!figure) return MISSING
  const cells = new Cells(inCase)
  if (cells.isRefused) return { text: 'not told' }
  const { ratio, interval, processes } = figure
  if (!isTold(cells.judge(figure)) || ratio === null || interval === null)
    return { text: NO_DIFFERENCE, note: count(processes.flat().length, 'round') }
  const bounds = interval.map(toPercent).toSorted((a, b) => a - b)
  const text = `${toPercent(ratio)} % ${ratio < 1 ? 'less' : 'more'}`
  return { text, note: `${bounds.join('–')} %`, tone: ratio < 1 ? 'better' : 'worse' }
}

const TAKE: Partial<Record<Tone, string>> = { better: "codec: 'msgpack'", worse: "codec: 'json'" }

/** What a message costs by the CPU time of many, and by how much the formats and isolation change it, as far as they do. */
function answerChoice(sizes: Sizes): Table {
  const rows = sizes.list.map((inCase): Cell[] => {
    const cells = new Cells(inCase)
    const compared = compareCodecs(sizes, inCase)
    return [
      { text: inCase.title },
      cells.draw(sizes.cpu(inCase.id, 'json'), true),
      compared,
      { text: (compared.tone && TAKE[compared.tone]) ?? '–' },
      cells.draw(sizes.cpu(inCase.id, 'bytes'), false),
      sizes.added(inCase, 'hook-'),
      sizes.added(inCase, 'isolation-'),
    ]
  })
  const columns = ['what you send', 'CPU time', "'msgpack' costs", 'take', 'as bytes', 'hook adds', 'encryption']
  return {
    title: sizes.ofUser ? `How to send ${sizes.ofUser}?` : 'What does a message cost, and which codec to take?',
    sentence: summarize(sizes),
    about:
      'CPU time of all threads for one message there and back, while many are in flight, with 95 % intervals. The hook and encryption are what the option' +
      ' `isolation` adds',
    ...{ columns, rows, names: 1, first: [0, 1, 2, 5, 6], reference: "codec: 'json'" },
  }
}

/** Says what the first message costs, which codec to take for which size, what isolation adds to the first message, and what cannot be told. */
function summarize(sizes: Sizes): string {
  const [first] = sizes.list
  if (!first) return ''
  const format = (figure: Figure | undefined): string => (figure ? formatRound(new Cells(first).format(figure)) : '–')
  const [cpu, rate] = [sizes.cpu(first.id, 'json'), sizes.find(`${first.id}/ring-json/rate`)].map(format)
  const compared = sizes.list.map(inCase => ({ inCase, ...compareCodecs(sizes, inCase) }))
  const nameAll = (list: readonly { inCase: CaseReport }[]): string =>
    listWords(list.map(({ inCase }) => sizes.name(inCase)))
  /** `15 % and 32 % less` */
  const listChanges = (list: readonly Cell[]): string =>
    listWords(list.map(({ text }) => text)).replaceAll(/ (?:less|more)(?=.*(less|more)$)/g, '')
  const less = compared.filter(({ tone }) => tone === 'better')
  const more = compared.filter(({ tone }) => tone === 'worse')
  const untold = compared.filter(({ text }) => text === NO_DIFFERENCE)
  const refused = sizes.list.filter(isRefused).map(inCase => ({ inCase }))
  const added = Object.entries({ hook: 'hook-', encryption: 'isolation-' } as const).flatMap(([name, layer]) => {
    const { text, note } = sizes.added(first, layer)
    if (text.startsWith('+')) return `${formatRound(text.slice(1))} by its ${name}`
    return text === 'not measurable' && note ? `${formatRound(note).replace('below', 'less than')} by its ${name}` : []
  })
  const sentences: (string | false)[] = [
    `${sizes.name(first)} costs ${cpu} of CPU in all threads, ${rate?.replace('/s', '')} a second without a sandbox`,
    less.length > 0 &&
      `Take codec 'msgpack' for ${nameAll(less)}: it costs ${listChanges(less)} than 'json', the default`,
    more.length > 0 &&
      `Keep codec 'json'${less.length > 0 ? '' : ', the default,'} for ${nameAll(more)}: 'msgpack' costs ${listChanges(more)}`,
    untold.length > 0 && `The codec makes ${NO_DIFFERENCE} for ${nameAll(untold)} (${untold[0]!.note})`,
    added.length > 0 && `Isolation, which is off by default, adds to it ${listWords(added)}`,
    refused.length > 0 &&
      `Nothing can be told of ${nameAll(refused)}: two identical arms differed by at least ${toPercent(Math.max(...refused.map(({ inCase }) => getLeftOut(inCase))))} %`,
  ]
  return `${sentences.flatMap(text => (text ? capitalize(text) : [])).join('. ')}.`
}

/** The speed of each format without isolation. */
function answerFormats(sizes: Sizes): Table {
  const { arms, cases, reference } = sizes.scenario
  const formats = arms.filter(({ id }) => /^ring-[a-z]+$/.test(id))
  const rows = sizes.list.flatMap(inCase =>
    formats.map(({ id: arm, title: name }): Cell[] => {
      const { id, title, payloadBytes } = inCase
      const alone = cases.find(entry => entry.id === `${id}${ALONE}`) ?? inCase
      const [cells, rate] = [new Cells(inCase), sizes.find(`${id}/${arm}/rate`)]
      return [
        { text: `${title}, ${name}` },
        new Cells(alone).draw(sizes.find(`${alone.id}/${arm}/p50`), arm === reference),
        cells.draw(rate, arm === reference),
        rate ? { text: cells.format(scale(rate, payloadBytes)).replaceAll('/s', 'B/s') } : MISSING,
      ]
    }),
  )
  return {
    title: sizes.ofUser ? `How fast is ${sizes.ofUser}, in each format?` : 'How fast is each format?',
    about:
      'Of one message there and back, without isolation: the latency of one alone, and the rates of many in flight, in which each byte counts once',
    columns: ['what you send', 'latency alone', 'messages a second', 'bytes a second'],
    ...{ rows, reference: "codec: 'json'" },
  }
}

const scale = ({ median, range, processes, ...figure }: Figure, factor: number): Figure => ({
  ...{ ...figure, median: median * factor, processes: processes.map(rounds => rounds.map(value => value * factor)) },
  ...(range && { range: [range[0] * factor, range[1] * factor] }),
})

/** Sorted by the first of the figures. @param what - the title of the first column */
function answerStarts(scenario: ScenarioReport, figures: readonly string[], what: string): Table {
  const [inCase] = scenario.cases as [CaseReport]
  const find = (arm: string): Figure | undefined =>
    inCase.results.find(result => result.arm === arm)?.figures.find(({ id }) => id === figures[0])
  const arms = scenario.arms.filter(({ id }) => find(id)).toSorted((a, b) => find(a.id)!.median - find(b.id)!.median)
  const results = inCase.results.map(result => ({
    ...result,
    figures: figures.flatMap(id => result.figures.find(figure => figure.id === id) ?? []),
  }))
  const reference = `a ${getReference(scenario)}`
  return { ...scenarioTable({ ...scenario, arms, cases: [{ ...inCase, results }] }, what), reference }
}
