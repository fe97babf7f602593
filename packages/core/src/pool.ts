// CPU-heavy commands run in a pool of threads (piscina), so that core stays free. It is loaded with the first such call.
import { BusError, fromErrorObject, holdsBytes } from '@sallyport/protocol'
import type { Piscina } from 'piscina'
import { ChannelHandle } from './channel.js'
import { holdsInstance } from './frontend-call.js'
import type { PoolOutcome, PoolTask } from './pool-task.js'
import { transfer } from './transfer.js'

export interface Pool {
  /** Runs the default export of a module with `args`, for a command. */
  run(method: string, module: URL, args: unknown, signal: AbortSignal): Promise<unknown>
  close(): Promise<void>
}

export function createPool(): Pool {
  let loading: Promise<Piscina> | undefined

  return {
    async run(method: string, module: URL, args: unknown, signal: AbortSignal): Promise<unknown> {
      if (holdsInstance(args, ChannelHandle))
        throw new BusError('InvalidParams', 'A channel can’t be passed to a command of the pool')
      loading ??= import('piscina').then(
        ({ Piscina: PiscinaPool }) =>
          new PiscinaPool({
            filename: import.meta.resolve('#pool-task'),
            name: 'runTask',
            minThreads: 0,
            idleTimeout: 30_000,
          }),
      )
      const piscina = await loading
      const task: PoolTask = { method, module: module.href, args }
      let outcome: PoolOutcome
      try {
        outcome = (await piscina.run(task, { signal })) as PoolOutcome
      } catch (cause) {
        if (signal.aborted)
          throw new BusError('Cancelled', 'The call was cancelled while it ran in the pool', { cause })
        throw cause
      }
      if ('failure' in outcome) throw fromErrorObject(outcome.failure)
      // The pool's thread has no part in it any more.
      return holdsBytes(outcome.value) ? transfer(outcome.value as object) : outcome.value
    },
    async close(): Promise<void> {
      await (await loading)?.destroy()
    },
  }
}
