// Who starts Sallyport's own workers: by default core, from the entries of the packages in node_modules. A program that is
// bundled whole has none there, and makes the workers itself from entries of its own (docs/bundlers.md).
import { BusError } from '@sallyport/protocol'
import type { Worker, WorkerOptions } from 'node:worker_threads'
import * as v from 'valibot'

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
