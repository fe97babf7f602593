// Why a worker has ended: from what is known of its thread, which does not depend on the order in which it became known.
import { BusError } from '@sallyport/protocol/internal/errors'

/** The one report that a thread has ended, by who started it. */
export interface Obituary {
  /** False if it was started ahead, and ended before the worker's code began in it. */
  readonly ranCode: boolean
  /** `itself`: it had not taken the order to stop; `order`: it had; `force`: it was terminated. */
  readonly by: 'itself' | 'order' | 'force'
  /** Its own words: it threw, failed, or ran out of memory. */
  readonly error?: Error | undefined
  readonly code?: number | undefined
  readonly wasReady: boolean
}

/** The error of a worker whose thread ended because of another one: the restart does not count against `intensity`. */
export class NeighborFault extends BusError {}

/**
 * Returns why a worker ended that was not to stop, or `undefined` if it ended as it should. What the thread says of itself comes first.
 *
 * @param sentence - why the host wants another one
 * @param isPermanent - true if it has to run until the host ends it
 */
export function judge(
  { by, error, code, wasReady }: Obituary,
  { name, sentence, isPermanent }: { name: string; sentence: Error | undefined; isPermanent: boolean },
): Error | undefined {
  if (error) return error
  if (by !== 'itself') return sentence
  if (code !== 0) return new BusError('Crashed', `${name} exited with code ${code}`)
  if (!wasReady) return new BusError('Crashed', `${name} exited before it was ready`)
  return isPermanent ? new BusError('Crashed', `${name} exited unexpectedly`) : undefined
}
