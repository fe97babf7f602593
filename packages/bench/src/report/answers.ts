// What a report answers before its tables. Each answer is a table, and if the machine was quiet, a sentence:
// 1. which format to take for which size, and what encryption adds (`formats`, and each payload of the user)
// 2. what sealing and opening take alone (`cipher`)
// 3. what the hook adds (`formats`)
// 4. what each sandbox costs (`plugin`, `few-calls`)
// 5. what rings gain, and when they lose (`shapes`)
import { MANY, NOISE, PAYLOAD_PREFIX } from '../model/scenario.js'
import {
  ENOUGH_ROUNDS,
  estimateDifference,
  getSpread,
  judgeChange,
  type Judgement,
  type Range,
  toChange,
} from '../shared/statistics.js'
import { capitalize, duration, formatFigure, formatInterval, formatRange, formatRatio } from '../shared/text.js'
import { type CaseReport, type Figure, findFigure, type Report, type ScenarioReport } from './report.js'
import { getExtremes, isTooNoisy, type Tone } from './verdict.js'

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
  /** Titles. The first column, which has none, contains the names of the rows. */
  columns: readonly string[]
  rows: Cell[][]
}

const MISSING: Cell = { text: '–', tone: 'missing' }
const FAILED: Cell = { text: 'failed', tone: 'failed' }

/** The smallest factor that counts as a difference. Smaller ones are usual on a shared machine. */
const NOTABLE = 1.05

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

  /** The median, or a range: of a noisy run, and of a figure whose rounds differ by much. */
  format({ median, range, unit, processes }: Figure): string {
    if (this.isNoisy) return formatRange(getSpread(processes), unit)
    return range ? formatRange(range, unit) : formatFigure({ median, unit })
  }

  /** A figure with its ratio. The reference has none. */
  draw(figure: Figure | undefined, isReference: boolean): Cell {
    if (!figure) return MISSING
    const { ratio, interval } = figure
    const cell: Cell = { text: this.format(figure) }
    if (isReference || ratio === null || this.isNoisy) return cell
    const judgement = this.judge(figure)
    if (judgement === 'slower') cell.tone = 'worse'
    if (judgement === 'faster') cell.tone = 'better'
    cell.note = formatRatio(ratio)
    if (interval) cell.interval = formatInterval(interval)
    return cell
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
  const isOfFormats = ({ id }: ScenarioReport): boolean => id === 'formats' || id.startsWith(PAYLOAD_PREFIX)
  const answerFrom = (id: string, answer: (scenario: ScenarioReport) => Table): Table[] =>
    report.scenarios.filter(scenario => scenario.id === id).map(answer)
  const sizes = report.scenarios.filter(isOfFormats).map(scenario => new Sizes(scenario))
  const answers = [
    ...sizes.map(each => answerFormats(each, cells)),
    ...answerFrom('cipher', scenario => ({
      ...scenarioTable(scenario, cells),
      title: 'What do sealing and opening take alone?',
    })),
    ...sizes.map(each => answerHook(each, cells)),
    ...answerFrom('plugin', scenario => ({
      ...answerSandboxes(scenario, cells, ['ready', 'pss', 'seldom'], 'seldom'),
      title: 'What does a plugin cost in each sandbox?',
      about: 'A plugin in a running host, sorted by a call every 20 ms; × is the ratio to a raw Worker',
    })),
    ...answerFrom('few-calls', scenario => ({
      ...answerSandboxes(scenario, cells, ['import', 'p50', 'cpu'], 'p50'),
      title: 'What does the first call of a program cost?',
      about: 'A fresh program, from before its import; × is the ratio to a raw MessagePort',
    })),
    ...answerFrom('shapes', scenario => answerRings(scenario, cells)),
  ]
  const measured = answers.filter(({ rows }) => rows.some(([, ...row]) => row.some(({ tone }) => tone !== 'missing')))
  if (cells.isNoisy) for (const answer of measured) delete answer.sentence
  return measured
}

/** A time that one arm takes more than another. Of few rounds, the range of eight of ten stands for the interval. */
export interface Difference {
  value: number
  range: Range
  /** False if it cannot be told from nothing: then it is below the end of the range that is farther from nothing. */
  isMeasurable: boolean
}

export function getDifference(figure: Figure | undefined, before: Figure | undefined): Difference | undefined {
  const estimate = figure && before && estimateDifference(figure.processes, before.processes)
  if (!estimate) return undefined
  const { value, interval, spread, rounds } = estimate
  const range = rounds < ENOUGH_ROUNDS ? spread : interval
  return { value, range, isMeasurable: range[0] > 0 }
}

const getBound = ({ range }: Difference): number => Math.max(...range.map(Math.abs))

/** Returns `1.92 µs`, or `not measurable (below 0.41 µs)`. */
export const describeDifference = (difference: Difference): string =>
  difference.isMeasurable ? duration(difference.value) : `not measurable (below ${duration(getBound(difference))})`

function drawDifference(difference: Difference | undefined, { isNoisy }: Cells): Cell {
  if (!difference) return MISSING
  const { value, range, isMeasurable } = difference
  if (!isMeasurable)
    return { text: 'not measurable', ...(!isNoisy && { note: `below ${duration(getBound(difference))}` }) }
  if (isNoisy) return { text: formatRange(range, 'µs') }
  return { text: `+${duration(value)}`, note: formatRange(range, 'µs') }
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

/** The sizes of a scenario of formats, with the figures of each. */
class Sizes {
  readonly list: { id: string; title: string }[]

  constructor(readonly scenario: ScenarioReport) {
    this.list = scenario.cases.filter(({ id }) => !id.endsWith(MANY)).map(({ id, title }) => ({ id, title }))
  }

  cpu(id: string, format: Format, layer: Layer = ''): Figure | undefined {
    return this.#find(`${id}${MANY}/${layer}ring-${format}/cpu`)
  }

  latency(id: string, format: Format, layer: Layer): Figure | undefined {
    return this.#find(`${id}/${layer}ring-${format}/p50`)
  }

  /** The CPU time that a layer adds. */
  added(id: string, format: Format, layer: keyof typeof BEFORE): Difference | undefined {
    return getDifference(this.cpu(id, format, layer), this.cpu(id, format, BEFORE[layer]))
  }

  /** What a layer adds to JSON-RPC; an empty text if that was not measured. */
  describeAdded(layer: keyof typeof BEFORE): string {
    const all = this.list.flatMap(({ id, title }) => {
      const difference = this.added(id, 'json', layer)
      return difference ? `${title} ${describeDifference(difference)}` : []
    })
    return all.join(', ')
  }

  /** A cell for each size. */
  row(name: string, draw: (id: string) => Cell): Cell[] {
    return [{ text: name }, ...this.list.map(({ id }) => draw(id))]
  }

  get columns(): Table['columns'] {
    return ['', ...this.list.map(({ title }) => title)]
  }

  #find(path: string): Figure | undefined {
    return findFigure({ scenarios: [this.scenario] }, `${this.scenario.id}/${path}`)
  }
}

function answerFormats(sizes: Sizes, cells: Cells): Table {
  const drawArm = (id: string, format: Format, layer: Layer): Cell => {
    const [cpu, latency] = [sizes.cpu(id, format, layer), sizes.latency(id, format, layer)]
    return cpu && latency ? { text: cells.format(cpu), note: cells.format(latency) } : MISSING
  }
  const { id: scenario, title: name } = sizes.scenario
  const isOfUser = scenario.startsWith(PAYLOAD_PREFIX)
  return {
    title: isOfUser ? `How to send ${name}?` : 'JSON-RPC, MessagePack or bytes, with or without encryption?',
    sentence: advise(sizes, cells),
    about:
      'CPU time of all threads for one message there and back, while many are in flight; then the latency of one alone. Isolation is a hook and' +
      ' encryption. Encryption: the CPU time that it adds, by arms that differ in the cipher alone',
    columns: sizes.columns,
    rows: FORMATS.flatMap(({ format, title }) => [
      sizes.row(title, id => drawArm(id, format, '')),
      sizes.row('with isolation', id => drawArm(id, format, 'isolation-')),
      sizes.row('encryption', id => drawDifference(sizes.added(id, format, 'isolation-'), cells)),
    ]),
  }
}

/** One's own encoding costs, too: bytes have to be so many times as cheap. */
const BYTES_GAIN = 2

/** Names the option for each size, as far as the figures differ from those of JSON-RPC, which is the reference. */
function advise(sizes: Sizes, cells: Cells): string {
  const judgeFormat = (format: Format): { title: string; ratio: number; judgement: string; rounds: number }[] =>
    sizes.list.flatMap(({ id, title }) => {
      const figure = sizes.cpu(id, format)
      if (!figure || figure.ratio === null) return []
      return { title, ratio: figure.ratio, judgement: cells.judge(figure), rounds: figure.processes.flat().length }
    })
  const [known, bytes] = [judgeFormat('msgpack'), judgeFormat('bytes')]
  const list = (found: typeof known): string => {
    const factors = found.map(({ ratio }) => ratio)
    if (found.length === 1 || found.length < sizes.list.length)
      return found.map(({ title, ratio }) => `${title} (${formatRatio(ratio)})`).join(', ')
    return `every size (${formatInterval([Math.min(...factors), Math.max(...factors)])})`
  }
  const less = known.filter(({ judgement }) => judgement === 'faster')
  const more = known.filter(({ judgement }) => judgement === 'slower')
  const asBytes = bytes.filter(({ judgement, ratio }) => judgement === 'faster' && ratio < 1 / BYTES_GAIN)
  const encryption = sizes.describeAdded('isolation-')
  const parts = [
    less.length > 0 && `take \`codec: 'msgpack'\` for ${list(less)}`,
    more.length > 0 && `${less.length > 0 ? '' : 'keep '}JSON-RPC, the default, for ${list(more)}`,
    less.length + more.length === 0 &&
      known.length > 0 &&
      `no difference between JSON-RPC and MessagePack can be told of ${Math.min(...known.map(({ rounds }) => rounds))} rounds`,
    asBytes.length > 0 && `send what is bytes already as a \`Uint8Array\`: ${list(asBytes)}`,
    encryption && `encryption (\`isolation\`) adds: ${encryption}`,
  ]
  const sentence = parts.filter(Boolean).join('; ')
  return sentence && `${capitalize(sentence)}. The factors are of the CPU time of JSON-RPC.`
}

const answerHook = (sizes: Sizes, cells: Cells): Table => ({
  title: 'What does a hook cost?',
  sentence: `Without its encryption, a hook in its gate adds: ${sizes.describeAdded('hook-')}.`,
  about: 'CPU time of all threads that a message takes more with a hook, without encryption',
  columns: sizes.columns,
  rows: FORMATS.map(({ format, title }) =>
    sizes.row(title, id => drawDifference(sizes.added(id, format, 'hook-'), cells)),
  ),
})

/** @param call - the figure of a call every 20 ms */
function answerSandboxes(scenario: ScenarioReport, cells: Cells, figures: readonly string[], call: string): Table {
  const [inCase] = scenario.cases as [CaseReport]
  const find = (arm: string): Figure | undefined =>
    inCase.results.find(result => result.arm === arm)?.figures.find(({ id }) => id === call)
  const arms = scenario.arms.filter(({ id }) => find(id)).toSorted((a, b) => find(a.id)!.median - find(b.id)!.median)
  const results = inCase.results.map(result => ({
    ...result,
    figures: figures.flatMap(id => result.figures.find(figure => figure.id === id) ?? []),
  }))
  const others = arms.filter(({ id }) => id !== scenario.reference && find(id)!.interval)
  const ends = new Set([others[0], others.at(-1)])
  const describeRatio = ({ ratio, interval }: Figure): string => `${formatRatio(ratio!)} (${formatInterval(interval!)})`
  const takes = [...ends].flatMap(arm => (arm ? `${arm.title} takes ${describeRatio(find(arm.id)!)}` : []))
  const reference = scenario.arms.find(({ id }) => id === scenario.reference)!.title
  const table = scenarioTable({ ...scenario, arms, cases: [{ ...inCase, results }] }, cells)
  return takes.length === 0
    ? table
    : { ...table, sentence: `Of a call every 20 ms, ${takes.join(', and ')} the time of ${reference}.` }
}

function answerRings(scenario: ScenarioReport, cells: Cells): Table {
  const arms = scenario.arms.filter(({ id }) => id === 'port-json' || id === 'ring-json')
  const judged = scenario.cases.flatMap(({ title, results }) => {
    const [figure] = results.find(({ arm }) => arm === 'ring-json')?.figures ?? []
    return figure ? { title, judgement: cells.judge(figure) } : []
  })
  const list = (...wanted: string[]): string =>
    judged.flatMap(({ title, judgement }) => (wanted.includes(judgement) ? title : [])).join(', ')
  const [gains, losses, others] = [list('faster'), list('slower'), list('same', 'unclear')]
  const parts = [
    gains && `a ring is faster than a port for ${gains}`,
    losses && `${gains ? '' : 'a ring is '}slower than a port for ${losses}`,
    others && `no difference shows for ${others}`,
  ]
  return {
    ...scenarioTable({ ...scenario, arms }, cells),
    title: 'What do rings gain, and when do they lose?',
    sentence: `${capitalize(parts.filter(Boolean).join('; '))}.`,
    about: 'A ring of shared memory beside a port of messages, both with JSON-RPC',
  }
}
