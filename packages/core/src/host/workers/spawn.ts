// Starts a worker thread from the entry of a package. Workers inherit the flags of the process, but for a program that came
// from the command line (`node --input-type=module -e …`): what is said there of the input is wrong for the entries.
import { type TransferListItem, Worker, type WorkerOptions } from 'node:worker_threads'
import { BusError } from '@sallyport/protocol'
import * as v from 'valibot'

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

// Who starts Sallyport's own workers: by default core, from the entries of the packages in node_modules. A program that is
// bundled whole has none there, and makes the workers itself from entries of its own (docs/bundlers.md).

/** Must pass the options on as they are: with them come the sandbox, and what the worker is told. */
export type WorkerMaker = (options: WorkerOptions) => Worker

/**
 * For programs that are bundled with Sallyport in them. Each makes a worker from a module that imports the entry named here;
 * what is left out is found in `node_modules`.
 *
 * @example
 * frontend: options => new Worker(new URL('./frontend-worker.mjs', import.meta.url), options)
 */
export interface WorkerMakers {
  /** Of `@sallyport/core/worker`. */
  core?: WorkerMaker
  /** Of `@sallyport/frontend/worker`. */
  frontend?: WorkerMaker
  /** Of `@sallyport/isolation/worker`. */
  gate?: WorkerMaker
}

const maker = v.optional(v.custom<WorkerMaker>(given => typeof given === 'function', 'a function'))
/** @internal */
export const workers: v.GenericSchema<unknown, unknown> = v.optional(
  v.strictObject({ core: maker, frontend: maker, gate: maker }, 'an object'),
)

/** A file of Sallyport's own, as a URL. @throws BusError `InvalidParams` in a program that has been bundled with it in it */
export function findEntry(name: string): string {
  try {
    return import.meta.resolve(name)
  } catch (cause) {
    const text =
      `Sallyport’s own ${name} is not found from ${import.meta.url}. In a bundled program, leave @sallyport/* outside of ` +
      'the bundle, or give createBus the option `workers`: docs/bundlers.md'
    throw new BusError('InvalidParams', text, { cause })
  }
}
