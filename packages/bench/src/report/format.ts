// Figures as people read them: three digits, a unit that keeps them short, and ratios with a × behind.
import { stripVTControlCharacters } from 'node:util'
import type { FigureKind } from '../model/scenario.js'

/** Text of others, without what would command a terminal or turn the direction of what follows. */
export const plain = (text: string): string =>
  stripVTControlCharacters(text).replaceAll(/(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu, '')

/** The same in one line. */
export const oneLine = (text: string): string => plain(text).replaceAll(/\s+/g, ' ')

/** Four significant digits: more than any figure can be trusted to. */
export const short = (value: number): number => Number(value.toPrecision(4))

const THOUSANDS = ['', 'k', 'M', 'G'] as const

/** Three significant digits, and no exponent: 0.061 · 2.9 · 49.1 · 534. */
export function threeDigits(value: number): string {
  const size = Math.abs(value)
  if (size >= 99.95) return value.toFixed(0)
  if (size >= 9.995) return value.toFixed(1)
  return size === 0 || size >= 0.9995 ? value.toFixed(2) : value.toFixed(3)
}

/** 1234567 → `1.23 M`. */
export function shortNumber(value: number): string {
  let power = 0
  for (; Math.abs(value) >= 999.5 && power < THOUSANDS.length - 1; power++) value /= 1000
  return `${threeDigits(value)} ${THOUSANDS[power]}`.trimEnd()
}

/** Microseconds as µs, ms or s. */
export function duration(us: number): string {
  if (us < 0) return `−${duration(-us)}`
  if (us < 999.5) return `${threeDigits(us)} µs`
  return us < 999_500 ? `${threeDigits(us / 1e3)} ms` : `${threeDigits(us / 1e6)} s`
}

export function formatFigure({ median, unit }: { median: number; unit: FigureKind['unit'] }): string {
  if (unit === '') return shortNumber(median)
  if (unit === '%') return percent(median)
  if (unit === 'B') return formatBytes(median)
  if (unit === 'µs') return duration(median)
  const short = shortNumber(median)
  return /[a-zA-Z]$/.test(short) ? `${short}/s` : `${short} /s`
}

const percent = (value: number): string => `${value < 0 ? '−' : ''}${threeDigits(Math.abs(value))} %`

/** A goal, or what was measured for it: a ratio, or a difference of parts of a core. */
export const formatGoal = (value: number, compare: 'ratio' | 'difference'): string =>
  compare === 'ratio' ? formatRatio(value) : `${value < 0 ? '' : '+'}${percent(value)}`

/** Two digits behind the point, three below a tenth: 0.061× · 0.45× · 1.23× · 12.3×. */
export const formatRatio = (ratio: number): string =>
  `${ratio >= 9.995 || ratio < 0.0995 ? threeDigits(ratio) : ratio.toFixed(2)}×`

/** What a ratio lies between: `1.20–1.27×`. */
export const formatInterval = ([low, high]: readonly [number, number]): string =>
  `${formatRatio(low).slice(0, -1)}–${formatRatio(high)}`

/** How far an interval reaches from its ratio, where there is room for no more: `±3 %`, or as a factor from 2 on, `×÷2.4`. */
export function formatSpread(ratio: number, [low, high]: readonly [number, number]): string {
  const factor = Math.max(high / ratio, ratio / low)
  return factor < 2 ? `±${formatEffect(factor)}` : `×÷${factor.toFixed(1)}`
}

/** A factor above 1 as the difference that it makes: 1.03 → `3 %`, 1.004 → `0.4 %`. */
export function formatEffect(factor: number): string {
  const size = (factor - 1) * 100
  return `${size.toFixed(size < 9.95 ? 1 : 0).replace(/\.0$/, '')} %`
}

export const formatBytes = (bytes: number): string =>
  bytes < 1024
    ? `${bytes} B`
    : bytes < 1024 ** 2
      ? `${threeDigits(bytes / 1024)} KiB`
      : `${threeDigits(bytes / 1024 ** 2)} MiB`

/** `1 round`, `2 rounds`. */
export const count = (many: number, word: string): string => `${many} ${word}${many === 1 ? '' : 's'}`
