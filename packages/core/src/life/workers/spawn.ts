// Starts a worker thread from the entry of a package, or by a function of a program that bundles Sallyport (docs/guide/deploying.md).
import { setFlagsFromString } from 'node:v8'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { BusError } from '@sallyport/protocol/internal/errors'
import type { TransferListItem } from '@sallyport/protocol/internal/link'
import { getOtherRuntime } from '../../shared/other-runtime.js'
import { getV8Limits, limitHeap } from '../../shared/heap-limit.js'

export type WorkerFactory = (options: WorkerOptions) => Worker

/**
 * Starts Sallyport's own workers in a program that bundles Sallyport, each from a module that imports the entry named here. Workers
 * without a function here are started from `node_modules`. A function must pass on all `options`: they contain the sandbox.
 *
 * @example
 * frontend: options => new Worker(new URL('./frontend-worker.mjs', import.meta.url), options)
 */
export interface WorkerFactories {
  /** Imports `@sallyport/core/worker`. */
  core?: (options: WorkerOptions) => Worker
  /** Imports `@sallyport/frontend/worker`. */
  frontend?: (options: WorkerOptions) => Worker
  /** Imports `@sallyport/isolation/worker`. */
  gate?: (options: WorkerOptions) => Worker
}

/** The URL of a module, or a function to call instead of `new Worker`. */
export type Entry = string | WorkerFactory

/** If the heap of the worker exceeds `maxOldGenerationSizeMb`, or the host's own limit by default, it exits with `ERR_WORKER_OUT_OF_MEMORY`. */
export function spawnWorker(
  entry: Entry,
  workerData?: object,
  transferList: TransferListItem[] = [],
  workerOptions: WorkerOptions = {},
): Worker {
  // `--input-type` describes a program from the command line, and would be wrong for an entry.
  const hasInputType = process.execArgv.some(flag => flag.startsWith('--input-type'))
  const { resourceLimits } = workerOptions
  const options = {
    ...(hasInputType && { execArgv: [] }),
    ...workerOptions,
    // Flags of Node.
    ...(getOtherRuntime() && { execArgv: [] }),
    resourceLimits: getV8Limits(resourceLimits),
    workerData,
    transferList,
  }
  const worker = typeof entry === 'string' ? startWorker(entry, options) : callFactory(entry, options)
  // A thread that may start no worker may not set flags either, and has the error of the former.
  keepLoopsInterruptible()
  limitHeap(worker, resourceLimits)
  return worker
}

let areLoopsInterruptible = false

/**
 * Since Node 24, V8's loop unrolling can remove the check of an endless loop that lets other threads interrupt it. Without this flag,
 * `for (;;) new Array(1000)` can be neither terminated nor measured.
 */
function keepLoopsInterruptible(): void {
  if (areLoopsInterruptible || getOtherRuntime() || Number.parseInt(process.versions.node) < 24) return
  areLoopsInterruptible = true
  setFlagsFromString('--no-turboshaft-loop-unrolling')
}

function callFactory(entry: WorkerFactory, options: WorkerOptions): Worker {
  const worker: unknown = entry(options)
  if (worker instanceof Worker) return worker
  const text = 'createBus: workers: each must return a worker, as in `options => new Worker(new URL(…), options)`'
  throw new BusError('InvalidParams', text)
}

function startWorker(entry: string, options: WorkerOptions): Worker {
  try {
    return new Worker(new URL(entry), options)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_ACCESS_DENIED') throw cause
    const text = 'this thread may not start workers. In a frontend, import @sallyport/frontend, not @sallyport/core'
    throw new BusError('InvalidParams', `createBus: ${text}`, { cause })
  }
}

/** Returns the URL of one of Sallyport's own entries. @throws {BusError} InvalidParams if Sallyport is bundled */
export function findEntry(name: string): string {
  try {
    return import.meta.resolve(name)
  } catch (cause) {
    // `workers` has no files for processes and scripts.
    const workers = /^@sallyport\/(?:process\/|quickjs\/|frontend\/process)/.test(name)
      ? ''
      : ', or set the option `workers` of createBus'
    const text =
      `Sallyport's own ${name} was not found from ${import.meta.url}. In a bundled program, leave @sallyport/* out of ` +
      `the bundle${workers}: see "Bundlers" on the page "Deploying" of the documentation`
    throw new BusError('InvalidParams', text, { cause })
  }
}
