// Text for people: figures in three digits, and third-party text that is safe for a terminal.
import { UsageError } from '@sallyport/protocol/internal/command-line'
import { readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

/** @throws {UsageError} if it is no JSON. A byte order mark is fine, as it is for npm */
export function readJson<T extends object>(option: string, file: string): Partial<T> {
  try {
    return Object(JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')))
  } catch (error) {
    throw new UsageError(`${option}: ${file} cannot be read: ${(error as Error).message}`)
  }
}

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

/** Formats a value with the unit that a program prints: 25000 and `ops/s` → `25.0 kops/s`. */
export function formatValue(value: number, unit: string): string {
  if (unit === 'µs') return duration(value)
  return unit === 'B' ? formatBytes(value) : `${shortNumber(value).replace(/\d$/, '$& ')}${unit}`.trimEnd()
}

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

/** `1 round`, `2 rounds`. */
export const count = (many: number, word: string): string => `${many} ${word}${many === 1 ? '' : 's'}`
