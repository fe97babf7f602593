// The figures that a program prints: lines `name value unit`, objects of JSON, and what benchmark tools print, each recognised by its form.
import { stripVTControlCharacters } from 'node:util'
import type { FigureKind } from '../model/scenario.js'
import { UsageError } from '../shared/text.js'

export interface PrintedFigure {
  name: string
  /** Times in µs, sizes in bytes and rates by second, so that runs can print different units. */
  value: number
  unit: string
  better: FigureKind['better']
}

const TIMES = new Map(Object.entries({ ns: 1e-3, us: 1, µs: 1, μs: 1, ms: 1e3, s: 1e6, sec: 1e6 }))
const SIZES = new Map(
  Object.entries({ B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }),
)
const PERIODS = new Map([...TIMES, ['second', 1e6], ['min', 6e7], ['minute', 6e7], ['h', 3.6e9], ['hour', 3.6e9]])
const RATE_UNIT = /^(?:[kmg]?bps|[kmg]?hz|i?ops|[rqtfm]ps)$/i
/** `requests/sec`, `ops per second`, `Throughput (req/s)`, `requestsPerSec`, `fps`. */
const RATE_NAME =
  /(?:(?:\/|(?:^|[^a-z])per[ _-])s|per_?sec)(?:ec)?(?:onds?)?\W*(?:\([^)]*\))?$|\b(?:throughput|bandwidth|i?ops|[rqtf]ps)$/i

type Kind = Pick<PrintedFigure, 'unit' | 'better'> & { factor: number }

/** Returns `undefined` if neither unit nor name says which direction is better. `ns/iter` is a time, `B/op` a size, `ops/ms` a rate. */
function getKind(name: string, unit: string): Kind | undefined {
  const [amount = '', per = ''] = unit.split(/\/| per /)
  const [time, size, period] = [TIMES.get(amount), SIZES.get(amount), PERIODS.get(per.toLowerCase())]
  // Milliseconds by second can be a load or a speed.
  if (time) return period ? undefined : { factor: time, unit: 'µs', better: 'lower' }
  const isRate = period || RATE_UNIT.test(unit) || RATE_NAME.test(name)
  if (!isRate) return size ? { factor: size, unit: 'B', better: 'lower' } : undefined
  const bySecond = !period || period === 1e6 ? unit : `${amount}/s`
  return { factor: (size ?? 1) * (1e6 / (period ?? 1e6)), unit: size ? 'B/s' : bySecond, better: 'higher' }
}

const toFigure = (name: string, value: number, { factor, unit, better }: Kind): PrintedFigure[] =>
  Number.isFinite(value) ? [{ name, value: value * factor, unit, better }] : []

/** Also with the marks of other locales, which are refused. */
const NUMBER = String.raw`(?:\d|\.\d)(?:[\d.,'’\u00a0\u2009\u202f]*\d)?(?:e[+-]?\d+)?`
const ENGLISH = /^(?:\d*\.?\d+|[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?)(?:e[+-]?\d+)?$/i

/** @throws {UsageError} of a decimal comma, and of thousands that are not separated by commas */
function toNumber(text: string, line: string): number {
  if (ENGLISH.test(text)) return Number(text.replaceAll(',', ''))
  if (!/[^\d.]/.test(text)) return NaN // A version: 1.2.3
  throw new UsageError(
    `The line '${line.trim()}' was not read: '${text}' has a decimal comma, or thousands of another locale. Print 1234.5 or 1,234.5`,
  )
}

/** The line before the figures that belong to it, in hyperfine, mitata and Vitest, and the last one of `go test`. */
const HEADING = /^(?:Benchmark #?\d+: |• |ok {2}\t|\s*[✓√] (?=\S+\.[cm]?[jt]sx?\b))(.+?)(?:\s+\d+m?s)?$/

/** Lines of tools: `go test -bench`, mitata, the counters of k6, hyperfine. */
const TOOLS = [
  String.raw`^(?<name>Benchmark\S+)\s+\d+\s+(?<value>${NUMBER})\s(?<unit>ns\/op)\b`,
  String.raw`^\s*(?<name>\S.*?)\s+(?<value>${NUMBER})\s(?<unit>\S+\/iter)\b`,
  String.raw`^\s*(?<name>\w+)\.+:\s.*\s(?<value>${NUMBER})\s?(?<unit>\S*\/s)$`,
  String.raw`^\s*(?<name>Time) \(.*?\):\s+(?<value>${NUMBER}) (?<unit>\S+)`,
].map(form => new RegExp(form, 'i'))

const LINES = [
  // Also of benchmark.js, `name x 1,234 ops/sec ±0.5% (90 runs sampled)`, and of JMH, `name 1.234 ± 0.056 ms/op`.
  String.raw`^[\s├└─]*(?<name>\S.*?)(?<by>\s+x\s+|[\s:=]+)(?<value>${NUMBER})\s*(?:(?:±|\+\/?-)\s*[\d.,]+\s*%?\s*)?\[?(?<unit>[^\s\d.,[\]±]\S*?(?: per \w+)?)\]?\s*(?:(?:±|\+\/?-|\().*)?$`,
  String.raw`^\s*(?<name>\S.*?)[\s:=]+(?<value>${NUMBER})\s*$`,
].map(form => new RegExp(form, 'i'))

/** Of `avg=1 ms min=… med=…`, as k6 prints them. */
const PAIR = new RegExp(String.raw`([\w()%]+)[=:]\s?(${NUMBER})\s?([^\s\d,;)]+)`, 'gi')
const TYPICAL = [/^(med|median|p\(?50\)?)$/i, /^(avg|average|mean)$/i]

function readLine(line: string, forms: readonly RegExp[]): PrintedFigure[] {
  const { name = '', by = '', value = '', unit = '' } = forms.map(form => form.exec(line)?.groups).find(Boolean) ?? {}
  const kind = getKind(name, unit)
  // `99% 5 ms` is one of several percentiles.
  if (!kind || !/\p{L}/u.test(name) || hasValue(name + by, kind)) return []
  return toFigure(name, toNumber(value, line), kind)
}

function readPairs(line: string): PrintedFigure[] {
  const pairs = [...line.matchAll(PAIR)]
  const [name = ''] = /^.*?(?=[\s.:=]*$)/.exec(line.slice(0, pairs[0]?.index).trim()) ?? []
  const [, , value = '', unit = ''] = TYPICAL.flatMap(key => pairs.find(([, of = '']) => key.test(of)) ?? [])
  const kind = getKind('', unit)
  return pairs.length > 1 && name !== '' && kind ? toFigure(name, toNumber(value, line), kind) : []
}

const VALUES = new RegExp(String.raw`([:=]\s*)?(?<!\w)${NUMBER}\s*([a-zµμ]+(?:\/\w+)?)([\s,;…–()-]*$)?`, 'gi')

/** Several values are no figure: `1 ms … 3 ms`, or `min: 1 ms, max: 3 ms`. One in a name is fine: `read 64 KB 2 ms`, `sleep 5 ms: 6 ms`. */
const hasValue = (name: string, { unit }: Kind): boolean =>
  [...name.matchAll(VALUES)].some(([, assigned, of = '', last]) => {
    const kind = getKind('', of)
    return kind && (kind.unit !== 'B' || unit === 'B') && (assigned ?? last) !== undefined
  })

/** Where tools put a name, a value, and the unit of a value that has none. A mean rate is finer than the clock, unlike a median time. */
const ROWS: readonly [name: string, value: string, unit: string][] = [
  ['Task name', 'Throughput avg (ops/s)', 'ops/s'], // tinybench
  ['Task Name', 'ops/sec', 'ops/s'], // tinybench 2
  ['name', 'throughput.mean', 'ops/s'], // results and tasks of tinybench
  ['name', 'result.throughput.mean', 'ops/s'],
  ['name', 'result.hz', 'ops/s'],
  ['name', 'hz', 'ops/s'], // Vitest
  ['name', 'opsSec', 'ops/s'], // bench-node
  ['name', 'stats.p50', 'ns'], // mitata
  ['name', 'summary.median', 'ops/s'], // node:bench
  ['command', 'median', 's'], // hyperfine
  ['Stat', 'Avg', ''], // autocannon
  ['Slower tests', 'Result', ''], // cronometro
  ['Fastest test', 'Result', ''],
]

type Row = Partial<Record<string, unknown>>

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null

const get = (row: unknown, path: string): unknown =>
  path.split('.').reduce((value, key) => (isRow(value) ? value[key] : undefined), row)

const CELL = new RegExp(String.raw`^(${NUMBER})\s*([^\s\d±]\S*)?`, 'i')

function readRow(row: Row, path: readonly string[]): PrintedFigure[] {
  const [key = '', from = '', unit] = ROWS.find(([name, value]) => name in row && get(row, value) !== undefined) ?? []
  const [text, number = '', own = ''] = CELL.exec(String(get(row, from))) ?? []
  const [name, { namePath, params }] = [String(row[key]), row]
  const kind = getKind(name, unit || own)
  // Latencies of autocannon are rounded to 10 µs.
  if (!kind || text === undefined || (key === 'Stat' && kind.better === 'lower')) return []
  const names = Array.isArray(namePath) ? [...namePath, ...Object.values(params ?? {})] : [...path, name]
  return toFigure(names.join(' > '), toNumber(number, text), kind)
}

/** Finds the rows in what tools write as JSON. */
function readRows(value: unknown, path: readonly string[] = [], layout?: unknown): PrintedFigure[] {
  if (Array.isArray(value)) return value.flatMap(entry => readRows(entry, path, layout))
  if (!isRow(value)) return []
  const found = readRow(value, path)
  if (found.length > 0) return found
  // Groups of Vitest and of mitata.
  const parent = value['fullName'] ?? get(layout, `${String(value['group'])}.name`) ?? []
  const lists = ['files', 'groups', 'benchmarks', 'runs', 'results', 'tasks', 'data'].map(key => value[key])
  return readRows(lists, [...path, ...[parent].flat().map(String)], value['layout'] ?? layout)
}

/** Reads `{ "name", "value", "unit", "better" }`, also in an array. */
function readObject(value: unknown): PrintedFigure[] {
  if (Array.isArray(value)) return value.flatMap(readObject)
  const { name, value: number, unit = '', better } = isRow(value) ? value : {}
  if (typeof name !== 'string' || typeof number !== 'number') return []
  const kind: Kind = getKind(name, String(unit)) ?? { factor: 1, unit: String(unit), better: 'lower' }
  return toFigure(name, number, better === 'higher' || better === 'lower' ? { ...kind, better } : kind)
}

/** Returns the value that begins in a line, and the line of its end. */
function readJson(lines: readonly string[], at: number): { value: unknown; end: number } | undefined {
  const [line = '', bracket] = /^\s*([{[]).*/.exec(lines[at]!) ?? []
  const closing = bracket === '{' ? '}' : ']'
  const end = line === bracket ? lines.findIndex((other, index) => index > at && other.trimEnd() === closing) : at
  try {
    return bracket ? { value: JSON.parse(lines.slice(at, end + 1).join('\n')) as unknown, end } : undefined
  } catch {
    return undefined
  }
}

/** Returns the cells of a row with lines between them, or of Vitest's table, which has spaces. */
function splitCells(line: string, columns: readonly string[]): string[] {
  const isVitest = /^\s*name\s+hz\s/.test(line) || (columns.includes('hz') && /^\s*·/.test(line))
  const cells = line.replace(/^[\s·]+/, '').split(isVitest ? /\s{2,}/ : /[│║|]/)
  return cells.length > 2 ? cells.map(cell => cell.trim().replaceAll(/^'|'$/g, '')) : []
}

/** A longer line of text is no figure. */
const MAX_LINE = 1000

/**
 * Ignores lines that are none. A line of text needs a unit of time, size or rate: other output can end with a number, too.
 *
 * @throws {UsageError} if a figure has a decimal comma
 */
export function readFigures(text: string): PrintedFigure[] {
  const lines = stripVTControlCharacters(text).split('\n')
  const [figures, ofTools, ofDocuments]: [PrintedFigure[], PrintedFigure[], PrintedFigure[]] = [[], [], []]
  let [heading, columns]: [string[], string[]] = [[], []]
  for (let at = 0; at < lines.length; at++) {
    const json = readJson(lines, at)
    const line = json || lines[at]!.length > MAX_LINE ? '' : lines[at]!.trimEnd()
    const cells = splitCells(line, columns)
    if (json) {
      figures.push(...readObject(json.value))
      ofDocuments.push(...readRows(json.value))
      at = json.end
    } else if (ROWS.some(([name, value]) => cells.includes(name) && cells.includes(value))) columns = cells
    else if (cells.length > 0)
      ofTools.push(...readRow(Object.fromEntries(columns.map((key, index) => [key, cells[index]])), heading))
    else if (HEADING.test(line)) heading = [HEADING.exec(line)![1]!]
    else {
      if (/^$|[┌╔]/.test(line)) columns = []
      const found = [readPairs(line), readLine(line, TOOLS)].find(({ length }) => length > 0)
      ofTools.push(...(found ?? []).map(entry => ({ ...entry, name: [...heading, entry.name].join(' > ') })))
      if (!found) figures.push(...readLine(line, LINES))
    }
  }
  // A tool that writes JSON prints the same for people.
  return [...figures, ...(ofDocuments.length > 0 ? ofDocuments : ofTools)]
}
