// Starts a worker thread from the entry of a package. Workers inherit the flags of the process, but for a program that came
// from the command line (`node --input-type=module -e …`): what is said there of the input is wrong for the entries.
import { BusError } from '@sallyport/protocol'
import { Worker, type TransferListItem, type WorkerOptions } from 'node:worker_threads'
import type { WorkerMaker } from './worker-makers.js'

/** A URL, or what makes the worker in the place of `new Worker`. */
export type Entry = string | WorkerMaker

/** @throws BusError `InvalidParams` where a maker gives no worker, and what `new Worker` throws */
export function spawnWorker(
  entry: Entry,
  workerData: object,
  transferList: TransferListItem[] = [],
  more: WorkerOptions = {},
): Worker {
  const fromCommandLine = process.execArgv.some(flag => flag.startsWith('--input-type'))
  const options = { ...(fromCommandLine && { execArgv: [] }), ...more, workerData, transferList }
  if (typeof entry === 'string') return startWorker(entry, options)
  const worker: unknown = entry(options)
  if (worker instanceof Worker) return worker
  throw new BusError(
    'InvalidParams',
    'createBus: workers: each must return a worker, as in `options => new Worker(new URL(…), options)`',
  )
}

function startWorker(entry: string, options: WorkerOptions): Worker {
  try {
    return new Worker(new URL(entry), options)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_ACCESS_DENIED') throw cause
    const why = 'this thread may not start workers. In a frontend, import @sallyport/frontend, not @sallyport/core'
    throw new BusError('InvalidParams', `createBus: ${why}`, { cause })
  }
}
