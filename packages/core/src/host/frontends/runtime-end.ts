// Why the code of a frontend ended by itself: for the error of each call that it has not answered, and of later ones.
import type { Obituary } from '../life/judge.js'
import { getWorkerName } from '../supervision/policy.js'

export interface RuntimeEnd {
  /** A clause for error texts: `it ran out of memory`. */
  readonly why: string
  readonly error: Error | undefined
  /** False if it was started ahead, and ended before the code began. */
  readonly ranCode: boolean
}

export function describeEnd(label: string, error: Error | undefined, obituary?: Obituary): RuntimeEnd {
  const { ranCode = true, code } = obituary ?? {}
  if (!error) return { why: `it exited with code ${code}`, error, ranCode }
  const subject = [getWorkerName('frontend', label), 'The frontend process'].find(each =>
    error.message.startsWith(each),
  )
  const why = subject === undefined ? `it failed: ${error.message}` : `it${error.message.slice(subject.length)}`
  return { why, error, ranCode }
}
