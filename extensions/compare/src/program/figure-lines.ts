// The figures that a program prints: lines `name value unit`, objects of JSON, and what benchmark tools print, each recognised by its form.
import { stripVTControlCharacters } from 'node:util'
import { UsageError } from '@sallyport/protocol/internal/command-line'

export interface PrintedFigure {
  name: string
  /** Times in µs, sizes in bytes and rates by second, so that runs can print different units. */
  value: number
  unit: string
  better: 'lower' | 'higher'
}

const SECOND = 1e6
const TIMES = new Map([
  ...Object.entries({ ps: 1e-6, ns: 1e-3, us: 1, µs: 1, μs: 1, ms: 1e3, s: SECOND, sec: SECOND, second: SECOND }),
  ...Object.entries({ m: 6e7, min: 6e7, minute: 6e7, h: 3.6e9, hour: 3.6e9 }),
])
const SIZES = new Map(
  Object.entries({ B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }),
)
const RATE_UNIT = /^[kmgt]?(?:bps|hz|(?:i|fl)?ops|[rqtfm]ps)$/i
/** `requests/sec`, `ops per second`, `Throughput (req/s)`, `requestsPerSec`, `fps`, `Requests/sec (avg)`. */
const RATE_NAME =
  /(?:(?:\w\/|(?<![a-z])per[ _-])s(?:ec(?:onds?)?)?|per_?sec(?:onds?)?|(?<![a-z])(?:i?ops|[rqtf]ps))\W*(?:\([^)]*\)|avg|average|mean|med|median|p\d+)?$|throughput|bandwidth/i
/** More can be more work, or more work done. */
const WORK_NAME = /(?<![a-z])(?:total data|transferred|received|sent|processed|written)$/i

type Kind = Pick<PrintedFigure, 'unit' | 'better'> & { factor: number }

/** Returns `undefined` if neither unit nor name says which direction is better. `ns/iter` is a time, `B/op` a size, `ops/ms` a rate. */
function getKind(name: string, unit: string): Kind | undefined {
  const [amount = '', per = ''] = unit.split(/\/| per /)
  const [time, size, period] = [TIMES.get(amount), SIZES.get(amount), TIMES.get(per.toLowerCase())]
  // Milliseconds by second can be a load or a speed.
  if (time) return period ? undefined : { factor: time, unit: 'µs', better: 'lower' }
  if (period || RATE_UNIT.test(unit) || RATE_NAME.test(name)) {
    const factor = (size ?? 1) * (SECOND / (period ?? SECOND))
    return { factor, unit: size ? 'B/s' : period ? `${amount}/s` : unit, better: 'higher' }
  }
  return size && !WORK_NAME.test(name) ? { factor: size, unit: 'B', better: 'lower' } : undefined
}

/** Also with the marks of other locales, which are refused. */
const NUMBER = String.raw`(?:\d|\.\d)(?:[\d.,'’\u00a0\u2009\u202f]*\d)?(?:e[+-]?\d{1,2})?`
const ENGLISH = /^(?:\d*\.?\d+|[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?)(?:e[+-]?\d+)?$/i

/** @throws {UsageError} of a decimal comma, and of thousands that are not separated by commas */
function toFigures(name: string, text: string, unit: string, line: string): PrintedFigure[] {
  const kind = getKind(name, unit)
  if (!kind) return []
  const { factor, ...others } = kind
  if (ENGLISH.test(text)) return [{ name, value: Number(text.replaceAll(',', '')) * factor, ...others }]
  const isVersion = /^[\d.]+$/.test(text) && !/^\d{1,3}(?:\.\d{3})+$/.test(text)
  if (isVersion) return []
  throw new UsageError(
    `The line '${line.trim()}' was not read: '${text}' has a decimal comma, or thousands of another locale. Print 1234.5 or 1,234.5`,
  )
}

/** The line before the figures that belong to it, in hyperfine, mitata, `go test` and Vitest. */
const HEADING = /^(?:Benchmark #?\d+: |• |pkg: |ok {2}\t|\s*[✓√] (?=\S+\.[cm]?[jt]sx?\b))(.+?)(?:\s+[\d.]+m?s)?$/

const NAMED = String.raw`^\s*(?<name>\S.*?)[\s.:=]+(?=[\w()%]+[:=]\s?${NUMBER}).*?(?<![a-z])`
const ONE_OF_SEVERAL = String.raw`[:=]\s?(?<value>${NUMBER})\s?(?<unit>[^\s\d,;)]+)(?![^\s,;)])`
/** Lines of tools, then any. */
const FORMS = [
  String.raw`^(?<name>Benchmark\S+)\s+\d+\s+(?<value>${NUMBER})\s(?<unit>ns\/op)\b`, // go test -bench
  String.raw`^\s*(?<name>\S.*?)\s+(?<value>${NUMBER})\s(?<unit>\S+\/iter)\b`, // mitata
  String.raw`^\s*·\s+(?<name>\S.*?)\s{2,}(?<value>(?<hz>${NUMBER}))(?:\s+${NUMBER}){7}\s`, // Vitest
  String.raw`^\s*(?<name>\w+)\.+:\s.*\s(?<value>${NUMBER})\s?(?<unit>\S*\/s)$`, // counters of k6
  String.raw`${NAMED}(?:med|median|p\(?50\)?)${ONE_OF_SEVERAL}`, // `avg=1 ms min=… med=…`, as in k6
  String.raw`${NAMED}(?:avg|average|mean)${ONE_OF_SEVERAL}`,
  // Also `name x 1,234 ops/sec ±0.5% (90 runs sampled)` of benchmark.js, `Time (mean ± σ): 21.3 ms ± 1.1 ms [User: …]` of hyperfine, and
  // `name 1.234 ± 0.056 ms/op` of JMH.
  String.raw`^[\s├└─]*(?<name>\S.*?)(?<by>\s+x\s+|[\s:=]+)(?<value>${NUMBER})\s*(?:(?:±|\+\/?-)\s*[\d.,]+\s*%?\s*)?\[?(?<unit>(?:[bsmh]|[a-zµμ/#]\S+?)(?: per \w+)?)\]?\s*(?:(?:±|\+\/?-|[([]).*)?$`,
  String.raw`^\s*(?<name>\S.*?)(?<!\s[\d.,]+)[\s:=]+(?<value>${NUMBER})\s*$`,
].map(form => new RegExp(form, 'i'))

function readLine(line: string, heading: readonly string[]): PrintedFigure[] {
  const groups = FORMS.map(form => form.exec(line)?.groups).find(Boolean)
  const { name = '', by = '', value = '', hz, unit = hz ? 'ops/s' : '' } = groups ?? {}
  // `99% 5 ms` is one of several percentiles.
  if (!/\p{L}/u.test(name) || hasValue(name + by, unit)) return []
  return toFigures([...heading, name].join(' > '), value, unit, line)
}

const VALUES = new RegExp(String.raw`([:=]\s*)?(?<!\w)${NUMBER}\s*([a-zµμ]+(?:\/\w+)?)([\s,;…–()-]*$)?`, 'gi')

/** Several values are no figure: `1 ms … 3 ms`, or `min: 1 ms, max: 3 ms`. One in a name is fine: `read 64 KB 2 ms`, `sleep 5 ms: 6 ms`. */
const hasValue = (name: string, unit: string): boolean =>
  [...name.matchAll(VALUES)].some(([, assigned, of = '', last]) => {
    const isPartOfName = (assigned ?? last) === undefined || (SIZES.has(of) && !SIZES.has(unit))
    return !isPartOfName && getKind('', of)
  })

/** Where tools put a name, a value, and the unit of a value that has none. A mean rate is finer than the clock, unlike a median time. */
const ROWS: readonly [name: string, value: string, unit: string][] = [
  ['Task name', 'Throughput avg (ops/s)', 'ops/s'], // tinybench
  ['Task name', 'Throughput average (ops/s)', 'ops/s'], // tinybench 3.0
  ['Task Name', 'ops/sec', 'ops/s'], // tinybench 2
  ['name', 'throughput.mean', 'ops/s'], // results and tasks of tinybench
  ['name', 'result.throughput.mean', 'ops/s'],
  ['name', 'result.hz', 'ops/s'],
  ['name', 'hz', 'ops/s'], // Vitest
  ['name', 'opsSec', 'ops/s'], // bench-node
  ['name', 'stats.p50', 'ns'], // mitata
  ['name', 'summary.median', 'ops/s'], // node:bench
  ['command', 'median', 's'], // hyperfine
  ['url', 'requests.mean', 'req/s'], // autocannon
  ['Stat', 'Avg', ''],
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
  const [cell = '', value = '', ownUnit = ''] = CELL.exec(String(get(row, from))) ?? []
  const [name, { namePath, params }] = [String(row[key]), row]
  // Latencies of autocannon are rounded to 10 µs.
  if (value === '' || (key === 'Stat' && TIMES.has(ownUnit))) return []
  const names = Array.isArray(namePath) ? [...namePath, ...Object.values(params ?? {})] : [...path, name]
  return toFigures(names.join(' > '), value, unit || ownUnit, cell)
}

function readRows(value: unknown, path: readonly string[] = [], layout?: unknown): PrintedFigure[] {
  if (!isRow(value)) return []
  const found = readRow(value, path)
  if (found.length > 0) return found
  // Groups of Vitest and of mitata.
  const group = value['fullName'] ?? get(layout, `${String(value['group'])}.name`)
  const within = typeof group === 'string' ? [...path, group] : path
  return Object.values(value).flatMap(entry => readRows(entry, within, value['layout'] ?? layout))
}

function readObject(value: unknown): PrintedFigure[] {
  if (Array.isArray(value)) return value.flatMap(readObject)
  const { name, value: number, unit = '', better } = isRow(value) ? value : {}
  if (typeof name !== 'string' || typeof number !== 'number' || !Number.isFinite(number)) return []
  const { factor, ...kind }: Kind = getKind(name, String(unit)) ?? { factor: 1, unit: String(unit), better: 'lower' }
  return [{ name, value: number * factor, ...kind, ...((better === 'higher' || better === 'lower') && { better }) }]
}

function readJson(lines: readonly string[], at: number): { value: unknown; end: number } | undefined {
  const [line = '', bracket] = /^\s*([{[]).*/.exec(lines[at] ?? '') ?? []
  const closing = bracket === '{' ? '}' : ']'
  const isEdge = (other: string): boolean => other === bracket || other.trimEnd() === closing
  let end = at
  // Up to the next one that begins: what is inside of it is indented.
  if (line === bracket)
    do end++
    while (!isEdge(lines[end] ?? closing))
  try {
    return bracket ? { value: JSON.parse(lines.slice(at, end + 1).join('\n')), end } : undefined
  } catch {
    return undefined
  }
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
  const [objects, ofText, ofTools]: [PrintedFigure[], PrintedFigure[], PrintedFigure[]] = [[], [], []]
  let [heading, columns]: [string[], string[]] = [[], []]
  for (let at = 0; at < lines.length; at++) {
    const json = readJson(lines, at)
    const read = lines[at] ?? ''
    const line = json || read.length > MAX_LINE ? '' : read.trimEnd()
    const [, title] = HEADING.exec(line) ?? []
    const cells = line.split(/[│║|]/).map(cell => cell.trim().replaceAll(/^'|'$/g, ''))
    if (json) {
      objects.push(...readObject(json.value))
      ofTools.push(...readRows(json.value))
      at = json.end
    } else if (ROWS.some(([name, value]) => cells.includes(name) && cells.includes(value))) columns = cells
    else if (cells.length > 2)
      ofText.push(...readRow(Object.fromEntries(columns.map((key, index) => [key, cells[index]])), heading))
    else if (title !== undefined) heading = [title]
    else {
      if (/^$|[┌╔]/.test(line)) columns = []
      ofText.push(...readLine(line, heading))
    }
  }
  // A tool that writes JSON prints the same for people.
  return [...objects, ...(ofTools.length > 0 ? ofTools : ofText)]
}
