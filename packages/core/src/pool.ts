// CPU-heavy commands run in a pool of threads (piscina), so that core stays free. It is loaded with the first such call.
import { BusError } from '@sallyport/protocol'
import type { Piscina } from 'piscina'

export interface Pool {
  /** Runs the default export of a module with `args`. */
  run(module: URL, args: unknown, signal: AbortSignal): Promise<unknown>
  close(): Promise<void>
}

export function createPool(): Pool {
  let loading: Promise<Piscina> | undefined

  return {
    async run(module: URL, args: unknown, signal: AbortSignal): Promise<unknown> {
      loading ??= import('piscina').then(
        ({ Piscina: PiscinaPool }) => new PiscinaPool({ minThreads: 0, idleTimeout: 30_000 }),
      )
      const piscina = await loading
      try {
        return await piscina.run(args, { filename: module.href, signal })
      } catch (error) {
        if (signal.aborted)
          throw new BusError('Cancelled', 'The call was cancelled while it ran in the pool', { cause: error })
        throw error
      }
    },
    async close(): Promise<void> {
      await (await loading)?.destroy()
    },
  }
}
