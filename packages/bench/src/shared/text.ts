// Text of the report: ratios and ranges, and HTML.
import { formatValue, threeDigits } from '#measure/text'

/** Formats a range in two digits, with one unit if both ends have the same: `4.0–18 µs`, `433 µs–2.1 ms`. */
export function formatRange([low, high]: readonly [number, number], unit: string): string {
  const toCoarse = (digits: string): string => {
    const coarse = Number(digits).toPrecision(2)
    return coarse.includes('e') ? String(Number(coarse)) : coarse
  }
  const format = (value: number): string => formatValue(Number(value.toPrecision(2)), unit).replace(/^\S+/, toCoarse)
  const [begin, end] = [format(low), format(high)]
  if (begin === end) return end
  const [digits, ofBegin = ''] = begin.split(/(?= )/)
  return `${end.replace(/^\S+/, '') === ofBegin ? digits : begin}–${end}`
}

/** Rounds a formatted figure, but not a range: `13.1 µs` → `13 µs`, `76.3 k/s` → `76,000/s`. */
export function formatRound(text: string): string {
  const factors: Record<string, number> = { ' k': 1e3, ' M': 1e6 }
  const toRound = (_: string, digits: string, letter = ''): string =>
    (Number(Number(digits).toPrecision(2)) * (factors[letter] ?? 1)).toLocaleString('en-US')
  return text.includes('–') ? text : text.replace(/([\d.]+)( [kM](?=\/))?/, toRound)
}

/** `a`, `a and b`, `a, b and c`. */
export const listWords = (words: readonly string[]): string =>
  [words.slice(0, -1).join(', '), words.at(-1)].filter(Boolean).join(' and ')

/** Two digits after the point, three below a tenth: 0.061× · 0.45× · 1.23× · 12.3×. */
export const formatRatio = (ratio: number): string =>
  `${ratio >= 9.995 || ratio < 0.0995 ? threeDigits(ratio) : ratio.toFixed(2)}×`

/** The interval of a ratio: `1.20–1.27×`. */
export const formatInterval = ([low, high]: readonly [number, number]): string =>
  formatRatio(low) === formatRatio(high) ? formatRatio(low) : `${formatRatio(low).slice(0, -1)}–${formatRatio(high)}`

/** Keeps a number and its unit on one line. */
export const keepUnits = (text: string): string =>
  text.replaceAll(/(?<=\d) (?=(?:%|[µm]?s\b|[kMG]?B?\/s|[KMG]?i?B\b))/g, '\u00a0')

export const capitalize = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

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
