// The worker of core. It loads Sallyport's code at once, and starts when its data arrives: the host loads its own code meanwhile.
import { MessageChannel, type Worker, type WorkerOptions } from 'node:worker_threads'
import type { CoreWorkerData, CoreWorkerStart } from '../../contract/host-core.js'
import { type Entry, findEntry, spawnWorker, type WorkerFactory } from './spawn.js'

export interface CoreWorker {
  /** Lets core start. Must be called once. */
  start(data: CoreWorkerData): Worker
}

/** @throws {BusError} as `findEntry`; errors of the factory */
export const spawnCoreWorker = (factory?: WorkerFactory, stdio?: WorkerOptions): CoreWorker =>
  spawn(factory ?? findEntry('#worker'), stdio)

function spawn(entry: Entry, stdio?: WorkerOptions): CoreWorker & { readonly worker: Worker } {
  const { port1, port2 } = new MessageChannel()
  const workerData: CoreWorkerStart = { port: port2 }
  const worker = spawnWorker(entry, workerData, [port2], stdio)
  return {
    worker,
    start(data) {
      port1.postMessage(data)
      port1.close()
      return worker
    },
  }
}

export interface EarlyCoreWorker {
  /** Returns the worker once, if it still runs. */
  take(): CoreWorker | undefined
  /** Terminates the worker unless it was taken. */
  discard(): void
}

/** Spawns core's worker before the options of `createBus` are checked. Returns `undefined` if one of them could change how it is spawned. */
export function spawnCoreEarly(options: unknown): EarlyCoreWorker | undefined {
  const { core, dev, workers } = Object(options) as Record<'core' | 'dev' | 'workers', unknown>
  const module = (core as { module?: unknown } | null | undefined)?.module ?? core
  if (dev !== undefined || workers !== undefined || !(typeof module === 'string' || module instanceof URL))
    return undefined
  let early: ReturnType<typeof spawn> | undefined
  try {
    early = spawn(findEntry('#worker'))
  } catch {
    // The next attempt has the same error, and reports it.
    return undefined
  }
  const { worker } = early
  const forget = (): void => void (early = undefined)
  worker.on('error', forget)
  worker.on('exit', forget)
  const take = (): typeof early => {
    const taken = early
    forget()
    worker.off('error', forget)
    worker.off('exit', forget)
    return taken
  }
  return { take, discard: () => void take()?.worker.terminate() }
}
