// The nearest right name, for error texts: most wrong names are typing errors.
import { distance } from 'fastest-levenshtein'

/** Of more, only the first are compared: with ten thousand frontends that would take longer than a thousand calls. */
const MOST_NAMES = 1000

/** ` (did you mean "greet"?)` where one of the names is near enough, else nothing. */
export function didYouMean(given: string, names: Iterable<string>): string {
  if (given.length > 100) return ''
  let best: { name: string; apart: number } | undefined
  let compared = 0
  for (const name of names) {
    if (++compared > MOST_NAMES) break
    const apart = isTransposed(given, name) ? 1 : distance(given, name)
    if (apart < (best?.apart ?? Math.max(2, given.length / 3))) best = { name, apart }
  }
  return best ? ` (did you mean ${JSON.stringify(best.name)}?)` : ''
}

/** The same letters in another order: one slip of the fingers, which the distance counts as two. */
const isTransposed = (given: string, name: string): boolean =>
  given !== name && given.length === name.length && sorted(given) === sorted(name)

const sorted = (name: string): string => name.split('').sort().join('')

// In development, error texts help more: they name the nearest command, and the line that a capability lacks.

/** Everywhere but under `NODE_ENV=production`. */
export const isDevelopment: boolean = process.env['NODE_ENV'] !== 'production'
