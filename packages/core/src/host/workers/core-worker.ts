// The worker of core. It loads Sallyport's code at once, and starts when its data arrives: the host loads its own code meanwhile.
import type { Worker, WorkerOptions } from 'node:worker_threads'
import type { CoreThreadData, CoreWorkerData } from '../../contract/host-core.js'
import { SpareWorker } from './spare-worker.js'
import { findEntry, spawnWorker, type WorkerFactory } from './spawn.js'

const spawn = (data: CoreThreadData, factory?: WorkerFactory, stdio?: WorkerOptions): Worker =>
  spawnWorker(factory ?? findEntry('#worker'), data, [], stdio)

/** Spawns core's worker before the options of `createBus` are checked. Returns `undefined` if one of them could change how it is spawned. */
export function spawnCoreEarly(options: unknown): SpareWorker | undefined {
  const { core, dev, workers, isolation } = Object(options) as Record<'core' | 'dev' | 'workers' | 'isolation', unknown>
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
