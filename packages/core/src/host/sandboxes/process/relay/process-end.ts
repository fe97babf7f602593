// Why a process has ended, from all that its relay knows, in whatever order it became known.
import { BusError, isBusError } from '@sallyport/protocol/internal/errors'
import type { LifecycleState } from '@sallyport/protocol/internal/contract'
import type { OutOfMemory } from './child.js'
import type { ExceededLimit } from './limits.js'

export interface ProcessEvidence {
  /** What the process is called in errors. */
  readonly name: string
  readonly status: { code: number | null; signal: NodeJS.Signals | null; outOfMemory?: OutOfMemory | undefined }
  /** A limit that the kernel has enforced. */
  readonly reached?: ExceededLimit | undefined
  /** MiB. */
  readonly maxMemory?: number | undefined
  /** The relay has killed it, or has tried to. */
  readonly wasKilled: boolean
  readonly killedFor?: BusError | undefined
  /** The host has asked it to stop. */
  readonly isStopping: boolean
  readonly lifecycle: LifecycleState | undefined
  /** It has been started before it was known for what. */
  readonly isSpare: boolean
}

export interface ProcessEnd {
  readonly error: BusError | undefined
  /** It ended by the order to stop, and could not say so. */
  readonly wasStopped: boolean
}

export function judgeProcess({ name, status, wasKilled, isStopping, ...evidence }: ProcessEvidence): ProcessEnd {
  const { signal, outOfMemory } = status
  const { lifecycle, isSpare } = evidence
  const isForced = wasKilled && signal === 'SIGKILL'
  // A service manager ends all processes of a service by SIGTERM, while the host closes the bus.
  const wasEnded = isStopping && (isForced || signal === 'SIGTERM')
  const limit = evidence.reached ?? findRefusedMemory(outOfMemory, evidence.maxMemory)
  let error = limit ? createLimitError(limit) : evidence.killedFor
  // It had exited before it could be killed for its silence.
  if (isBusError(error, 'Timeout') && !isForced) error = undefined
  // A process that has crashed, or that another program has killed, can be asked to stop before its exit is known.
  if (!error && !wasEnded && (signal || outOfMemory)) {
    error = new BusError(
      'Crashed',
      outOfMemory ? `${name} ran out of memory` : `The frontend process was terminated by ${signal}`,
    )
  }
  const hasBegun = lifecycle === 'ready' || (lifecycle === undefined && !isSpare)
  return { error, wasStopped: !error && wasEnded && hasBegun }
}

const findRefusedMemory = (what: OutOfMemory | undefined, max: number | undefined): ExceededLimit | undefined =>
  what === 'process' && max !== undefined
    ? { limit: 'memory', max, text: `could not allocate memory (limit: ${max} MiB)` }
    : undefined

export const createLimitError = ({ text, limit, max }: ExceededLimit): BusError =>
  new BusError('Crashed', `The frontend process ${text}`, { data: { limit, max } })
