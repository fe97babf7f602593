// Text for people: figures in three digits, and third-party text that is safe for a terminal and for HTML.
import { stripVTControlCharacters } from 'node:util'

/** A mistake in the command line. */
export class UsageError extends Error {}

export const plain = (text: string): string =>
  stripVTControlCharacters(text).replaceAll(/(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu, '')

export const oneLine = (text: string): string => plain(text).replaceAll(/\s+/g, ' ')

export const short = (value: number): number => Number(value.toPrecision(4))
export const shortRange = ([low, high]: readonly [number, number]): [number, number] => [short(low), short(high)]

/** Formats three significant digits, without an exponent: 0.061 · 2.90 · 49.1 · 534. */
export function threeDigits(value: number): string {
  const size = Math.abs(value)
  if (size >= 99.95) return value.toFixed(0)
  if (size >= 9.995) return value.toFixed(1)
  return size === 0 || size >= 0.9995 ? value.toFixed(2) : value.toFixed(3)
}

const inUnits = (value: number, step: number, [unit, ...larger]: readonly string[]): string =>
  larger.length > 0 && Math.abs(value) >= step * 0.9995
    ? inUnits(value / step, step, larger)
    : `${threeDigits(value)} ${unit}`.trimEnd()

/** 1234567 → `1.23 M`. */
export const shortNumber = (value: number): string => inUnits(value, 1000, ['', 'k', 'M', 'G'])

export const duration = (us: number): string => (us < 0 ? `−${duration(-us)}` : inUnits(us, 1000, ['µs', 'ms', 's']))

export const formatBytes = (bytes: number): string =>
  Math.abs(bytes) < 1024 ? `${bytes} B` : inUnits(bytes / 1024, 1024, ['KiB', 'MiB', 'GiB'])

type Unit = 'µs' | '/s' | 'B' | ''

const FORMATS: Readonly<Record<Unit, (value: number) => string>> = {
  '': shortNumber,
  B: formatBytes,
  µs: duration,
  '/s': value => `${shortNumber(value).replace(/\d$/, '$& ')}/s`,
}

export const formatFigure = ({ median, unit }: { median: number; unit: Unit }): string => FORMATS[unit](median)

/** Formats a range in two digits, with one unit if both ends have the same: `4.0–18 µs`, `433 µs–2.1 ms`. */
export function formatRange([low, high]: readonly [number, number], unit: Unit): string {
  const toCoarse = (digits: string): string => {
    const coarse = Number(digits).toPrecision(2)
    return coarse.includes('e') ? String(Number(coarse)) : coarse
  }
  const format = (value: number): string => FORMATS[unit](Number(value.toPrecision(2))).replace(/^\S+/, toCoarse)
  const [begin, end] = [format(low), format(high)]
  if (begin === end) return end
  const [digits, ofBegin = ''] = begin.split(/(?= )/)
  return `${end.replace(/^\S+/, '') === ofBegin ? digits : begin}–${end}`
}

/** Two digits after the point, three below a tenth: 0.061× · 0.45× · 1.23× · 12.3×. */
export const formatRatio = (ratio: number): string =>
  `${ratio >= 9.995 || ratio < 0.0995 ? threeDigits(ratio) : ratio.toFixed(2)}×`

/** The interval of a ratio: `1.20–1.27×`. */
export const formatInterval = ([low, high]: readonly [number, number]): string =>
  formatRatio(low) === formatRatio(high) ? formatRatio(low) : `${formatRatio(low).slice(0, -1)}–${formatRatio(high)}`

/** Formats a factor above 1 as a percentage: 1.03 → `3 %`, 1.104 → `10.4 %`, 234 → `> 10×`. */
export function formatEffect(factor: number): string {
  if (factor > 10) return '> 10×'
  const size = (factor - 1) * 100
  return `${size.toFixed(size < 19.95 ? 1 : 0).replace(/\.0$/, '')} %`
}

/** Formats a factor as a change: 1.12 → `+12 %`, 0.9 → `−10 %`. */
export const formatChange = (factor: number): string => {
  if (factor > 10) return formatEffect(factor)
  return `${factor < 1 ? '−' : '+'}${formatEffect(1 + Math.abs(factor - 1))}`
}

/** Keeps a number and its unit on one line. */
export const keepUnits = (text: string): string => text.replaceAll(/(?<=\d) (?=(?:%|[µm]?s\b|[KMG]?i?B\b))/g, '\u00a0')

export const capitalize = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

/** `1 round`, `2 rounds`. */
export const count = (many: number, word: string): string => `${many} ${word}${many === 1 ? '' : 's'}`

/** Reads a table: each line is a row, with `|` between its cells. */
export const readTable = (text: string): string[][] =>
  text
    .trim()
    .split('\n')
    .map(line => line.split('|').map(cell => cell.trim()))

/** HTML from `h`, or HTML that the caller of the constructor trusts. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = Html | string | number | false | null | undefined | readonly Value[]

/** A template of HTML. Escapes values that are not HTML, and removes indentation. */
export function h(strings: TemplateStringsArray, ...values: Value[]): Html {
  const parts = strings.map(part => part.replaceAll(/\s*\n\s*/g, '\n'))
  return new Html(parts.reduce((text, part, at) => text + toHtmlText(values[at - 1]) + part))
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function toHtmlText(value: Value): string {
  if (value === false || value === null || value === undefined) return ''
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(toHtmlText).join('')
  return String(value).replaceAll(/[&<>"']/g, character => ENTITIES[character]!)
}
