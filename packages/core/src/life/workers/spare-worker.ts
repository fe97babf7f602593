// Workers that are spawned before it is known who needs them, among them that of core: each loads its code meanwhile, and gets its data as its first
// message.
import { withoutContext } from '@sallyport/protocol/internal/util'
import type { Worker, WorkerOptions } from 'node:worker_threads'
import type { CoreThreadData, CoreWorkerData } from '../../contract/host-core.js'
import { findEntry, spawnWorker, type WorkerFactory } from './spawn.js'

/** It does not keep the process alive until it is taken. */
export class SpareWorker {
  #worker: Worker | undefined

  /** @param spawn - if it throws, there is no spare: the next attempt has the same error, and reports it */
  constructor(spawn: () => Worker) {
    try {
      this.#worker = withoutContext(spawn)
    } catch {
      return
    }
    this.#worker.unref()
    this.#worker.on('error', this.#forget)
    this.#worker.on('exit', this.#forget)
  }

  take(): Worker | undefined {
    const worker = this.#worker
    if (!worker) return undefined
    this.#forget()
    worker.off('error', this.#forget)
    worker.off('exit', this.#forget)
    worker.ref()
    return worker
  }

  discard(): void {
    void this.take()?.terminate()
  }

  readonly #forget = (): void => void (this.#worker = undefined)
}

const spawn = (data: CoreThreadData, factory?: WorkerFactory, stdio?: WorkerOptions): Worker =>
  spawnWorker(factory ?? findEntry('#worker'), data, [], stdio)

/** Spawns core's worker before the options of `createBus` are checked. Returns `undefined` if one of them could change how it is spawned. */
export function spawnCoreEarly(options: unknown): SpareWorker | undefined {
  const { core, dev, workers, isolation }: Record<'core' | 'dev' | 'workers' | 'isolation', unknown> = Object(options)
  const module = (core as { module?: unknown } | null | undefined)?.module ?? core
  const isPlain = dev === undefined && workers === undefined && (typeof module === 'string' || module instanceof URL)
  return isPlain ? new SpareWorker(() => spawn({ isIsolated: isolation !== undefined })) : undefined
}

/** Starts core in the worker that was spawned early, or in another. @throws {BusError} as `findEntry`; errors of the factory */
export function startCoreWorker(
  data: CoreWorkerData,
  early: SpareWorker | undefined,
  factory?: WorkerFactory,
  stdio?: WorkerOptions,
): Worker {
  const worker = early?.take() ?? spawn({ isIsolated: data.pattern === 'isolation' }, factory, stdio)
  worker.postMessage(data)
  return worker
}
