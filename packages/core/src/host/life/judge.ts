// Why a life's code has ended: from what its one author knows of it, which does not depend on the order in which that became known.
import { BusError } from '@sallyport/protocol/internal/errors'

/** The error of a worker whose thread has ended because of another worker in it. */
export class NeighborFault extends BusError {}

/** The one report that code has ended, by who started it. */
export interface Obituary {
  /** False if it was started ahead, and ended before the user's code began in it. */
  readonly ranCode: boolean
  /**
   * By the code's own order: `itself`: it had not taken the order to stop; `order`: it had; `force`: it was terminated; `parent`: its thread
   * ended; `nobody`: it could not be ended, and is abandoned.
   */
  readonly by: 'itself' | 'order' | 'force' | 'parent' | 'nobody'
  /** Its own words: it threw, failed, or ran out of memory. */
  readonly error?: Error | undefined
  readonly code?: number | undefined
}

/** What the host wants of the code. It only rises. */
export type Goal = 'none' | 'fail' | 'reload' | 'stop'

/** What the host knows of code that has ended. */
export interface Trial {
  readonly name: string
  readonly goal: Goal
  /** Why the host wants other code. */
  readonly sentence: Error | undefined
  readonly wasReady: boolean
  /** True if it has to run until the host ends it. */
  readonly isPermanent: boolean
  /** What keeps it from exiting if it is abandoned. */
  readonly obstacle: string
}

/** Returns why code ended, or `undefined` if it ended as it should. What it says of itself comes first. */
export function judge({ by, error, code }: Obituary, trial: Trial): Error | undefined {
  const { name, goal, sentence, wasReady, isPermanent, obstacle } = trial
  if (error) return error
  const isStop = goal === 'stop'
  if (by === 'nobody' && (isStop || !sentence))
    return new BusError('Timeout', `${name} did not exit after it was terminated: ${obstacle}`)
  if (isStop) return undefined
  if (by !== 'itself') return sentence
  if (goal === 'reload' || code === undefined) return undefined
  if (code !== 0) return new BusError('Crashed', `${name} exited with code ${code}`)
  if (!wasReady) return new BusError('Crashed', `${name} exited before it was ready`)
  return isPermanent ? new BusError('Crashed', `${name} exited unexpectedly`) : undefined
}
