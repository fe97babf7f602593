// Suggests the nearest valid name in error texts: most wrong names are typing errors.
import { distance } from 'fastest-levenshtein'

const MAX_COMPARED_LENGTH = 100
/** Further names are not compared: ten thousand would take longer than a thousand calls. */
const MAX_NAMES = 1000

/** Returns ` (did you mean "greet"?)` if one of the names is near enough, or an empty string. */
export function didYouMean(name: string, names: Iterable<string>): string {
  if (name.length > MAX_COMPARED_LENGTH) return ''
  let best: string | undefined
  // An extension that all files have is no likeness.
  let bestDistance = Math.max(2, name.replace(/\.\w+$/, '').length / 3)
  let compared = 0
  for (const candidate of names) {
    if (++compared > MAX_NAMES) break
    const isSlip = isTransposed(name, candidate) || isTransposed(`${name}s`, candidate)
    const apart = isSlip ? 1 : Math.min(distance(name, candidate), hasOtherEnd(name, candidate) ? 1.5 : Infinity)
    if (apart < bestDistance) [best, bestDistance] = [candidate, apart]
  }
  return best === undefined ? '' : ` (did you mean ${JSON.stringify(best)}?)`
}

/** True for the same letters in another order: one slip of the fingers, which the distance counts as two. */
const isTransposed = (name: string, other: string): boolean =>
  name !== other && name.length === other.length && sortLetters(name) === sortLetters(other)

/** True for another form of a word: `deny` for `denied`. */
const hasOtherEnd = (name: string, other: string): boolean =>
  name.length > 3 && other.length <= name.length + 2 && other.startsWith(name.slice(0, -1))

const sortLetters = (name: string): string => name.split('').sort().join('')
