// What a report answers before its tables. Each answer is a table, and if the machine was quiet, a sentence:
// 1. which format to take for which size, and what encryption adds (`formats`, and each payload of the user)
// 2. what sealing and opening take alone (`cipher`)
// 3. what the hook adds (`formats`)
// 4. what each sandbox costs (`plugin`, `few-calls`)
// 5. what rings gain, and when they lose (`shapes`)
import { MANY, NOISE, PAYLOAD_PREFIX } from '../model/scenario.js'
import { ENOUGH_ROUNDS, estimateDifference, estimateRatio, getSpread, type Range } from '../shared/statistics.js'
import * as text from '../shared/text.js'
import { capitalize, count, duration, formatInterval, formatRange, formatRatio } from '../shared/text.js'
import { type ArmReport, type CaseReport, type Figure, findFigure, type Report, type ScenarioReport } from './report.js'
import { createJudge, isTooNoisy, type Judge, type Tone } from './verdict.js'

export interface Cell {
  text: string
  /** Next to or below the text: the ratio of a figure to its reference. */
  note?: string
  /** The interval of the ratio, which is left out if the screen is narrow. */
  interval?: string
  tone?: Tone
  /** The figure that the text shows. */
  figure?: Figure
}

interface Column {
  title: string
  align: 'left' | 'right'
}

export interface Table {
  title: string
  /** What the figures say. A run that failed its noise check says nothing. */
  sentence?: string
  about: string
  /** The first column contains the names of the rows. */
  columns: readonly Column[]
  rows: Cell[][]
}

const words = (title: string): Column => ({ title, align: 'left' })
const numbers = (title: string): Column => ({ title, align: 'right' })

const MISSING: Cell = { text: '–', tone: 'missing' }
const FAILED: Cell = { text: 'failed', tone: 'failed' }

/** Draws the figures of one run: to three digits with their ratios, or as ranges if the machine was too noisy. */
export class Cells {
  readonly isNoisy: boolean
  readonly judge: Judge

  constructor(report: Pick<Report, 'noise'>) {
    this.isNoisy = isTooNoisy(report)
    this.judge = createJudge(report)
  }

  /** The median, or a range: of a noisy run, and of a figure whose rounds differ by much. */
  format({ median, range, unit, processes }: Figure): string {
    if (this.isNoisy) return text.formatRange(getSpread(processes), unit)
    return range ? text.formatRange(range, unit) : text.formatFigure({ median, unit })
  }

  /** A figure with its ratio. The reference has none. */
  draw(figure: Figure | undefined, isReference = false): Cell {
    if (!figure) return MISSING
    const { ratio, interval } = figure
    const cell: Cell = { text: this.format(figure), figure }
    if (isReference || ratio === null || this.isNoisy) return cell
    const tone = ({ slower: 'worse', faster: 'better', same: undefined, unclear: undefined } as const)[
      this.judge(figure)
    ]
    if (tone) cell.tone = tone
    cell.note = text.formatRatio(ratio)
    if (interval) cell.interval = text.formatInterval(interval)
    return cell
  }
}

function getKinds({ results }: CaseReport): Figure[] {
  const figures = results.flatMap(result => result.figures)
  return [...new Set(figures.map(({ id }) => id))].map(id => figures.find(figure => figure.id === id)!)
}

/** Medians with their ratios: arms in rows and figures in columns, or the reverse if the scenario has a row for each case. */
export function scenarioTable({ title, about, arms, cases, reference, rows }: ScenarioReport, cells: Cells): Table {
  const figures = cases.flatMap(inCase =>
    getKinds(inCase).map((kind, _, { length }) => ({
      ...{ inCase, kind },
      name: length > 1 ? `${inCase.title}, ${kind.title}` : inCase.title,
    })),
  )
  const getCell = ({ inCase, kind }: (typeof figures)[number], arm: ArmReport): Cell => {
    const result = inCase.results.find(entry => entry.arm === arm.id)
    if (result?.error !== undefined) return FAILED
    return cells.draw(
      result?.figures.find(entry => entry.id === kind.id),
      arm.id === reference,
    )
  }
  if (rows === 'cases')
    return {
      ...{ title, about },
      columns: [words(''), ...arms.map(arm => numbers(arm.title))],
      rows: figures.map(figure => [{ text: figure.name }, ...arms.map(arm => getCell(figure, arm))]),
    }
  return {
    ...{ title, about },
    columns: [words(''), ...figures.map(({ kind }) => numbers(kind.title))],
    rows: arms.map(arm => [{ text: arm.title }, ...figures.map(figure => getCell(figure, arm))]),
  }
}

export function getTables(report: Report): { scenario: ScenarioReport; table: Table }[] {
  const cells = new Cells(report)
  const getRank = ({ id }: ScenarioReport): number => Number(id === NOISE)
  return report.scenarios
    .toSorted((a, b) => getRank(a) - getRank(b))
    .map(scenario => ({ scenario, table: scenarioTable(scenario, cells) }))
}

type Run = Pick<Report, 'scenarios' | 'noise'>

/** Answers what the run measured. */
export function getAnswers(report: Run): Table[] {
  const cells = new Cells(report)
  const isOfFormats = ({ id }: ScenarioReport): boolean => id === 'formats' || id.startsWith(PAYLOAD_PREFIX)
  const answerFrom = (id: string, answer: (scenario: ScenarioReport, cells: Cells) => Table): Table[] =>
    report.scenarios.filter(scenario => scenario.id === id).map(scenario => answer(scenario, cells))
  const formats = report.scenarios.filter(isOfFormats)
  const answers = [
    ...formats.map(scenario => answerFormats(scenario, cells)),
    ...answerFrom('cipher', answerCipher),
    ...formats.map(scenario => answerHook(scenario, cells)),
    ...answerFrom('plugin', (scenario, of) => answerSandboxes(scenario, of, ['ready', 'pss', 'seldom'])),
    ...answerFrom('few-calls', (scenario, of) => answerSandboxes(scenario, of, ['ready', 'p50', 'cpu'])),
    ...answerFrom('shapes', answerRings),
  ]
  const measured = answers.filter(({ rows }) => rows.some(([, ...row]) => row.some(({ tone }) => tone !== 'missing')))
  return cells.isNoisy ? measured.map(withoutSentence) : measured
}

const withoutSentence = ({ title, about, columns, rows }: Table): Table => ({ title, about, columns, rows })

/** Returns `6.41× (6.23–6.59×)`; of few rounds `6.41× (6.23–6.59×, 2 rounds)`. */
export function describeRatio(figure: Figure | undefined, reference: Figure | undefined): string | undefined {
  const estimate = figure && reference && estimateRatio(figure.processes, reference.processes)
  if (!estimate) return undefined
  const { value, interval, spread, rounds } = estimate
  if (rounds < ENOUGH_ROUNDS) return `${formatRatio(value)} (${formatInterval(spread)}, ${count(rounds, 'round')})`
  const isAbout = interval[0] < 1 && interval[1] > 1
  return `${isAbout ? 'about 1×' : formatRatio(value)} (${formatInterval(interval)})`
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

/** The sizes of a scenario of formats, with the figures of each. */
class Sizes {
  readonly list: { id: string; title: string; bytes: number }[]

  constructor(readonly scenario: ScenarioReport) {
    this.list = scenario.cases
      .filter(({ id }) => !id.endsWith(MANY))
      .map(({ id, title, payloadBytes }) => ({ id, title, bytes: payloadBytes }))
  }

  cpu(id: string, arm: string): Figure | undefined {
    return this.#find(`${id}${MANY}/${arm}/cpu`)
  }

  latency(id: string, arm: string): Figure | undefined {
    return this.#find(`${id}/${arm}/p50`)
  }

  /** A column of each size, with its row of cells. */
  row(draw: (id: string) => Cell): Cell[] {
    return this.list.map(({ id }) => draw(id))
  }

  get columns(): Table['columns'] {
    return [words(''), ...this.list.map(({ title }) => numbers(title))]
  }

  #find(path: string): Figure | undefined {
    return findFigure({ scenarios: [this.scenario] }, `${this.scenario.id}/${path}`)
  }
}

function answerFormats(scenario: ScenarioReport, cells: Cells): Table {
  const sizes = new Sizes(scenario)
  const drawArm = (arm: string): Cell[] =>
    sizes.row(id => {
      const [cpu, latency] = [sizes.cpu(id, arm), sizes.latency(id, arm)]
      if (!cpu || !latency) return MISSING
      return { text: cells.format(cpu), note: cells.format(latency) }
    })
  const isOfUser = scenario.id.startsWith(PAYLOAD_PREFIX)
  return {
    title: isOfUser ? `How to send ${scenario.title}?` : 'JSON-RPC, MessagePack or bytes, with or without encryption?',
    sentence: advise(sizes, cells),
    about:
      'CPU time of all threads for one message there and back, while many are in flight; then the latency of one alone. Encryption: the CPU time' +
      ' that it adds, by arms that differ in the cipher alone',
    columns: sizes.columns,
    rows: FORMATS.flatMap(({ format, title }) => [
      [{ text: title }, ...drawArm(`ring-${format}`)],
      [{ text: '+ hook, encrypted' }, ...drawArm(`isolation-ring-${format}`)],
      [{ text: 'encryption alone' }, ...sizes.row(id => drawDifference(getEncryption(sizes, id, format), cells))],
    ]),
  }
}

const getEncryption = (sizes: Sizes, id: string, format: string): Difference | undefined =>
  getDifference(sizes.cpu(id, `isolation-ring-${format}`), sizes.cpu(id, `hook-ring-${format}`))

/** One's own encoding costs, too: bytes have to be so many times as cheap. */
const BYTES_GAIN = 2

function advise(sizes: Sizes, { judge }: Cells): string {
  const known = sizes.list.flatMap(size => {
    const [json, msgpack, bytes] = FORMATS.map(({ format }) => sizes.cpu(size.id, `ring-${format}`))
    if (!json || !msgpack || !bytes) return []
    const versus = (figure: Figure, other: Figure): { value: number; judgement: string } => {
      const estimate = estimateRatio(figure.processes, other.processes)!
      const judgement = judge({ ...figure, ratio: estimate.value, interval: [...estimate.interval] })
      return { value: estimate.value, judgement }
    }
    return [{ ...size, msgpack: versus(msgpack, json), bytes: versus(bytes, json) }]
  })
  const list = (found: typeof known, format: 'msgpack' | 'bytes'): string => {
    const factors = found.map(size => size[format].value)
    if (found.length === 1 || found.length < known.length)
      return found.map(size => `${size.title} (${formatRatio(size[format].value)})`).join(', ')
    return `every size (${formatInterval([Math.min(...factors), Math.max(...factors)])})`
  }
  const [less, more] = ['faster', 'slower'].map(wanted => known.filter(({ msgpack }) => msgpack.judgement === wanted))
  const asBytes = known.filter(({ bytes }) => bytes.judgement === 'faster' && bytes.value < 1 / BYTES_GAIN)
  const parts = [
    less!.length > 0 && `take \`codec: 'msgpack'\` for ${list(less!, 'msgpack')}`,
    more!.length > 0 &&
      `${less!.length > 0 ? 'JSON-RPC, the default,' : 'keep JSON-RPC, the default,'} for ${list(more!, 'msgpack')}`,
    less!.length + more!.length === 0 && known.length > 0 && 'JSON-RPC and MessagePack take the same',
    asBytes.length > 0 && `send what is bytes already as a \`Uint8Array\`: ${list(asBytes, 'bytes')}`,
    describeEncryption(sizes),
  ]
  const sentence = parts.filter(Boolean).join('; ')
  return sentence && `${capitalize(sentence)}. The factors are of the CPU time of JSON-RPC.`
}

function describeEncryption(sizes: Sizes): string | undefined {
  const added = sizes.list.flatMap(({ id, title }) => {
    const difference = getEncryption(sizes, id, 'json')
    return difference ? `${describeDifference(difference)} to ${title}` : []
  })
  return added.length > 0 ? `encryption (\`isolation\`) adds ${added.join(', ')}` : undefined
}

function answerCipher(scenario: ScenarioReport, cells: Cells): Table {
  const { arms, cases, reference } = scenario
  return {
    title: 'What do sealing and opening take alone?',
    about: 'CPU time of one message, AES-256-GCM, in one thread without a bus, and its ratio to node:crypto',
    columns: [words(''), ...cases.map(({ title }) => numbers(title))],
    rows: arms.flatMap(({ id, title }) =>
      (['seal', 'open'] as const).map(figure => [
        { text: `${title}, ${figure === 'seal' ? 'sealing' : 'opening'}` },
        ...cases.map(inCase => {
          const { results } = inCase
          const found = results.find(({ arm }) => arm === id)?.figures.find(entry => entry.id === figure)
          return cells.draw(found, id === reference)
        }),
      ]),
    ),
  }
}

function answerHook(scenario: ScenarioReport, cells: Cells): Table {
  const sizes = new Sizes(scenario)
  const get = (id: string, format: string): Difference | undefined =>
    getDifference(sizes.cpu(id, `hook-ring-${format}`), sizes.cpu(id, `ring-${format}`))
  const added = sizes.list.flatMap(({ id, title }) => {
    const difference = get(id, 'json')
    return difference ? `${describeDifference(difference)} to ${title}` : []
  })
  return {
    title: 'What does a hook cost?',
    sentence: `Without its encryption, a hook in its gate adds ${added.join(', ')}.`,
    about: 'CPU time of all threads that a message takes more with a hook, without encryption',
    columns: sizes.columns,
    rows: FORMATS.map(({ format, title }) => [
      { text: title },
      ...sizes.row(id => drawDifference(get(id, format), cells)),
    ]),
  }
}

/** Libraries and links, which are no sandboxes. */
const NO_SANDBOX = ['comlink', 'port-json', 'isolation-ring-json']

/** @param figures - of which the last but one is sorted by */
function answerSandboxes(scenario: ScenarioReport, cells: Cells, figures: readonly [string, string, string]): Table {
  const { id, reference, cases } = scenario
  const [{ id: inCase, results }] = cases as [ScenarioReport['cases'][number]]
  const find = (arm: string, figure: string): Figure | undefined =>
    findFigure({ scenarios: [scenario] }, `${id}/${inCase}/${arm}/${figure}`)
  const call = id === 'plugin' ? 'seldom' : 'p50'
  const arms = scenario.arms
    .filter(arm => !NO_SANDBOX.includes(arm.id) && find(arm.id, call))
    .toSorted((a, b) => find(a.id, call)!.median - find(b.id, call)!.median)
  const others = arms.filter(arm => arm.id !== reference)
  const [least, most] = [others[0], others.at(-1)].map(
    arm => arm && `${arm.title} takes ${describeRatio(find(arm.id, call), find(reference, call))}`,
  )
  const titles = results[0]?.figures ?? []
  const isPlugin = id === 'plugin'
  return {
    title: isPlugin ? 'What does a plugin cost in each sandbox?' : 'What does the first call of a program cost?',
    ...(others.length > 0 && {
      sentence: `Of a call every 20 ms, ${[...new Set([least, most])].join(', and ')} the time of ${scenario.arms.find(arm => arm.id === reference)!.title}.`,
    }),
    about: isPlugin
      ? 'A plugin in a running host, sorted by a call every 20 ms; × is the ratio to a raw Worker'
      : 'A fresh program, from before its import; × is the ratio to a raw MessagePort',
    columns: [words(''), ...figures.map(name => numbers(titles.find(figure => figure.id === name)?.title ?? name))],
    rows: arms.map(arm => [
      { text: arm.title },
      ...figures.map(name => cells.draw(find(arm.id, name), arm.id === reference)),
    ]),
  }
}

const SHAPES: readonly [path: string, title: string][] = [
  ['64/*/rate', '64 calls in flight'],
  ['steady/*/p50', 'calls back to back'],
  ['sparse/*/p50', 'a call every 4 ms'],
  ['burst/*/p50', '40 calls after a silence'],
]

function answerRings(scenario: ScenarioReport, cells: Cells): Table {
  const shapes = SHAPES.flatMap(([path, title]) => {
    const [ring, port] = ['ring-json', 'port-json'].map(arm =>
      findFigure({ scenarios: [scenario] }, `shapes/${path.replace('*', arm)}`),
    )
    const estimate = ring && port && estimateRatio(ring.processes, port.processes)
    if (!estimate) return []
    const { value, interval, rounds } = estimate
    const known: Figure = { ...ring, ratio: value, interval: rounds < ENOUGH_ROUNDS ? null : [...interval] }
    return [{ title, ring: known, port, judgement: cells.judge(known) }]
  })
  const list = (...wanted: string[]): string =>
    shapes.flatMap(({ title, judgement }) => (wanted.includes(judgement) ? title : [])).join(', ')
  const [gains, losses, others] = [list('faster'), list('slower'), list('same', 'unclear')]
  const parts = [
    gains && `a ring is faster than a port for ${gains}`,
    losses && `${gains ? '' : 'a ring is '}slower than a port for ${losses}`,
    others && `no difference shows for ${others}`,
  ]
  return {
    title: 'What do rings gain, and when do they lose?',
    sentence: `${capitalize(parts.filter(Boolean).join('; '))}.`,
    about: "`link: 'ring'` beside `link: 'port'`, both with JSON-RPC",
    columns: [words(''), numbers('port'), numbers('ring')],
    rows: shapes.map(({ title, port, ring }) => [{ text: title }, cells.draw(port, true), cells.draw(ring)]),
  }
}
