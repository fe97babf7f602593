// CPU-heavy commands run in a pool of threads (piscina), so that core stays free. It is loaded with the first such call.
import {
  BusError,
  describeCommand,
  toBusError,
  fromErrorObject,
  type ErrorObject,
  holdsBytes,
} from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { Piscina } from 'piscina'
import { holdsInstance } from '../api/frontend-call.js'
import { transfer } from '../api/transfer.js'
import { ChannelHandle } from './channel.js'

export interface PoolTask {
  method: string
  module: string
  args: unknown
}

export type PoolOutcome = { value: unknown } | { failure: ErrorObject }

export interface Pool {
  /** Runs the default export of a module with `args`, for a command. */
  run(method: string, module: URL, args: unknown, signal: AbortSignal): Promise<unknown>
  close(): Promise<void>
}

export function createPool(getLog: () => Logger): Pool {
  let loading: Promise<Piscina> | undefined

  const load = async (): Promise<Piscina> => {
    const { Piscina: PiscinaPool } = await import('piscina')
    const filename = import.meta.resolve('#pool-task')
    const piscina = new PiscinaPool({ filename, name: 'runTask', minThreads: 0, idleTimeout: 30_000 })
    // Of a thread that runs nothing. Unheard, it would end core.
    piscina.on('error', error => getLog().error({ err: error as unknown }, 'a thread of the pool has ended'))
    return piscina
  }

  return {
    async run(method: string, module: URL, args: unknown, signal: AbortSignal): Promise<unknown> {
      if (holdsInstance(args, ChannelHandle))
        throw new BusError('InvalidParams', 'A channel can’t be passed to a command of the pool')
      const piscina = await (loading ??= load())
      const task: PoolTask = { method, module: module.href, args }
      let outcome: PoolOutcome | null
      try {
        outcome = (await piscina.run(task, { signal })) as PoolOutcome | null
      } catch (cause) {
        wake(piscina)
        if (signal.aborted)
          throw new BusError('Cancelled', 'The call was cancelled while it ran in the pool', { cause })
        throw lost(method, cause)
      }
      // What has thrown `null` outside of its function.
      if (outcome === null) {
        wake(piscina)
        throw lost(method, null)
      }
      if ('failure' in outcome) throw fromErrorObject(outcome.failure)
      // The pool's thread has no part in it any more.
      return holdsBytes(outcome.value) ? transfer(outcome.value as object) : outcome.value
    },
    async close(): Promise<void> {
      await (await loading)?.destroy()
    },
  }

  function lost(method: string, cause: unknown): BusError {
    const why = cause instanceof Error || cause === null ? toBusError(method, cause).message : UNCLONEABLE
    const text = `The pool’s thread has ended while it ran ${describeCommand(method)}: ${why}`
    getLog().error({ command: method, err: cause }, 'a thread of the pool has ended')
    return new BusError('InternalError', text, { cause })
  }
}

/** Node's error for a result that can't be cloned can't be cloned either. */
const UNCLONEABLE = 'perhaps for its result, which holds what can’t be passed between threads'

/** A thread that is gone takes no task that waits, and Piscina starts another one with the next task alone. */
function wake(piscina: Piscina): void {
  if (piscina.queueSize > 0) piscina.run(undefined, { name: 'doNothing' }).catch(() => {})
}
