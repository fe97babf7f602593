// The figures that a program prints: lines `name value unit`, or objects of JSON, one a line.
import { stripVTControlCharacters } from 'node:util'
import type { FigureKind } from '../model/scenario.js'

export interface PrintedFigure {
  name: string
  /** Times in µs and sizes in bytes, so that runs can print different units. */
  value: number
  unit: string
  better: FigureKind['better']
}

const TIMES: Readonly<Record<string, number>> = { ns: 1e-3, us: 1, µs: 1, μs: 1, ms: 1e3, s: 1e6, sec: 1e6 }
const SIZES: Readonly<Record<string, number>> = {
  ...{ B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9 },
  ...{ KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 },
}

/** Also those of benchmark.js: `name x 1,234 ops/sec ±0.5% (90 runs sampled)`. */
const LINE = /^\s*(\S.*?)(?: x\s+|[\s:=]+)([\d.,]+(?:e[+-]?\d+)?)\s*([^\s\d]\S*)\s*(?:±.*)?$/i

/** Ignores lines that are neither. A line of text needs a unit of time, size or rate: other output can end with a number, too. */
export const readFigures = (text: string): PrintedFigure[] =>
  stripVTControlCharacters(text)
    .split('\n')
    .flatMap(line => readLine(line) ?? [])

function readLine(line: string): PrintedFigure | undefined {
  if (line.trimStart().startsWith('{')) return readJson(line)
  const [, name, number, unit] = LINE.exec(line) ?? []
  if (name === undefined || number === undefined || unit === undefined) return undefined
  const value = Number(number.replaceAll(',', ''))
  return Number.isFinite(value) && isKnown(unit) ? toFigure(name, value, unit) : undefined
}

function readJson(line: string): PrintedFigure | undefined {
  try {
    const { name, value, unit = '', better } = JSON.parse(line) as Partial<Record<string, unknown>>
    if (typeof name !== 'string' || typeof value !== 'number' || !Number.isFinite(value)) return undefined
    const figure = toFigure(name, value, String(unit))
    return better === 'higher' || better === 'lower' ? { ...figure, better } : figure
  } catch {
    return undefined
  }
}

const isRate = (unit: string): boolean => /\/s(ec)?$/.test(unit)
const isKnown = (unit: string): boolean => Object.hasOwn(TIMES, unit) || Object.hasOwn(SIZES, unit) || isRate(unit)

function toFigure(name: string, value: number, unit: string): PrintedFigure {
  if (Object.hasOwn(TIMES, unit)) return { name, value: value * TIMES[unit]!, unit: 'µs', better: 'lower' }
  if (Object.hasOwn(SIZES, unit)) return { name, value: value * SIZES[unit]!, unit: 'B', better: 'lower' }
  const [amount = ''] = unit.split('/')
  if (!isRate(unit)) return { name, value, unit, better: 'lower' }
  if (!Object.hasOwn(SIZES, amount)) return { name, value, unit, better: 'higher' }
  return { name, value: value * SIZES[amount]!, unit: 'B/s', better: 'higher' }
}
