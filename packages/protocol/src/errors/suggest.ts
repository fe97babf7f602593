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

<<<<<<< HEAD:packages/protocol/src/errors/suggest.ts
=======
/**
 * The error of everything that names a frontend that is not there, or no longer. It can come back, so nothing was delivered yet.
 *
 * @param why - a clause that says why the last frontend with this label has ended
 */
export function createNoFrontendError(label: string, names: Iterable<string>, why?: string): BusError {
  const text = `There is no frontend ${describeName(label)}${why === undefined ? didYouMean(label, names) : `: ${why}`}`
  return new BusError('Disconnected', text, { code: 'NO_FRONTEND', data: { delivered: 'no' } })
}

/** @param why - a clause that says why the frontend restarts; `undefined` if the host reloads it */
export function createRestartError(label: string, why: string | undefined): BusError {
  const text = `The frontend ${describeName(label)} is restarting, call it again later${why === undefined ? '' : `: ${why}`}`
  return new BusError('Disconnected', text, { code: 'RESTARTING', data: { delivered: 'no' } })
}

>>>>>>> e7bacca7 (feat(protocol): errors that a program acts on have a code):packages/core/src/shared/suggest.ts
/** True for the same letters in another order: one slip of the fingers, which the distance counts as two. */
const isTransposed = (name: string, other: string): boolean =>
  name !== other && name.length === other.length && sortLetters(name) === sortLetters(other)

/** True for another form of a word: `deny` for `denied`. */
const hasOtherEnd = (name: string, other: string): boolean =>
  name.length > 3 && other.length <= name.length + 2 && other.startsWith(name.slice(0, -1))

const sortLetters = (name: string): string => name.split('').sort().join('')
