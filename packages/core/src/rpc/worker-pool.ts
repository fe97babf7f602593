// A pool of threads (piscina) for CPU-heavy commands, so that core stays responsive. It is loaded with the first such call.
import type { ResourceLimits } from 'node:worker_threads'
import {
  BusError,
  type CausedErrorObject,
  describeCommand,
  fromCausedErrorObject,
  toBusError,
} from '@sallyport/protocol/internal/errors'
import { holdsBytes } from '@sallyport/protocol/internal/message'
import { ReceivedStream } from '@sallyport/protocol/internal/rpc'
import { isError } from '@sallyport/protocol/internal/util'
import type { Logger } from 'pino'
import type { Piscina } from 'piscina'
import { holdsInstance } from '../api/frontend-proxy.js'
import { transfer } from '../api/transfer.js'
import { getV8Limits, limitHeap } from '../shared/heap-limit.js'
import { ChannelHandle } from './channels.js'

export type PoolTask = { method: string; module: string; args: unknown }
export type PoolOutcome = { value: unknown } | { failure: CausedErrorObject }

export interface Pool {
  /** Runs the default export of a module with the arguments of a command. */
  run(method: string, module: URL, args: unknown, signal: AbortSignal): Promise<unknown>
  close(): Promise<void>
}

/** Likely cause of an error that is not an `Error`: Node cannot clone its own error about a result that cannot be cloned. */
const UNCLONEABLE = 'its result may hold values that cannot be passed between threads'

const NOT_CLONEABLE = [
  [ChannelHandle, 'channel'],
  [ReceivedStream, 'stream'],
] as const

export function createPool(getLog: () => Logger, limits?: ResourceLimits): Pool {
  let loading: Promise<Piscina> | undefined

  const load = async (): Promise<Piscina> => {
    const { Piscina: PiscinaPool } = await import('piscina')
    const filename = import.meta.resolve('#pool-entry')
    const resourceLimits = getV8Limits(limits)
    const piscina = new PiscinaPool({ filename, name: 'runTask', minThreads: 0, idleTimeout: 30_000, resourceLimits })
    // Emitted for an idle thread. Without a listener it would end core.
    piscina.on('error', error => getLog().error({ err: error as unknown }, 'a thread of the pool exited'))
    piscina.on('workerCreate', ({ id }: { id: number }) => {
      const thread = piscina.threads.find(({ threadId }) => threadId === id)
      if (thread) limitHeap(thread, limits)
    })
    return piscina
  }

  const createExitError = (method: string, cause: unknown): BusError => {
    const why = isError(cause) || cause === null ? toBusError(method, cause).message : UNCLONEABLE
    const text = `The pool's thread exited while it ran ${describeCommand(method)}: ${why}`
    getLog().error({ command: method, err: cause }, 'a thread of the pool exited')
    return new BusError('Crashed', text, { cause })
  }

  return {
    async run(method, module, args, signal) {
      for (const [type, what] of NOT_CLONEABLE) {
        if (!holdsInstance(args, type)) continue
        throw new BusError('InvalidParams', `A ${what} cannot be passed to a command of the pool`)
      }
      const piscina = await (loading ??= load())
      const task: PoolTask = { method, module: module.href, args }
      // The outcome is `null` if the task threw `null` outside of its function.
      let cause: unknown = null
      const running = piscina.run(task, { signal }) as Promise<PoolOutcome | null>
      const outcome = await running.catch((error: unknown) => void (cause = error))
      if (!outcome) {
        startThreadForWaiting(piscina)
        signal.throwIfAborted()
        throw createExitError(method, cause)
      }
      if ('failure' in outcome) throw fromCausedErrorObject(outcome.failure)
      // Safe, because the pool's thread no longer shares the memory.
      return holdsBytes(outcome.value) ? transfer(outcome.value as object) : outcome.value
    },
    close: async () => (await loading)?.destroy(),
  }
}

/** Submits an empty task if others wait: Piscina replaces a thread that has exited only when a task is submitted. */
function startThreadForWaiting(piscina: Piscina): void {
  if (piscina.queueSize > 0) piscina.run(undefined, { name: 'doNothing' }).catch(() => {})
}
