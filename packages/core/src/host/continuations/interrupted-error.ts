// The error with which `bus.run` rejects if a command has interrupted the run.
import { deserializeValue } from '@sallyport/protocol/internal/contract'
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import type { Suspended } from './suspension.js'

export interface RunInterruption {
  readonly continuation: Uint8Array
  readonly data: unknown
}

/** Code can throw an error with any reason and data, but none that is here. */
const interruptions = new WeakMap<object, RunInterruption>()

export function createInterruptedError(
  where: string,
  continuation: Uint8Array,
  { interrupted: [first] }: Suspended,
): BusError {
  const data = deserializeValue(first!.data)
  const text = `${describeName(where)} was interrupted by a command. Pass the continuation of this error to bus.resume`
  const error = new BusError('Interrupted', text, { data })
  // Node would print all of its bytes.
  Object.defineProperty(error, 'continuation', { value: continuation })
  interruptions.set(error, { continuation, data })
  return error
}

export const getInterruption = (error: unknown): RunInterruption | undefined =>
  typeof error === 'object' && error !== null ? interruptions.get(error) : undefined
