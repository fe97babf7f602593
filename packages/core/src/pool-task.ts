// Runs a task in a thread of the pool: the default export of a user's module. Its outcome is wrapped, so that anything it throws,
// also `null`, arrives as thrown. Errors are converted before they cross threads, because they lose members on the way.
import {
  BusError,
  describeCommand,
  toBusError,
  toCausedErrorObject,
  withoutData,
} from '@sallyport/protocol/internal/errors'
import type { PoolOutcome, PoolTask } from './rpc/registry.js'

export async function runTask({ method, module, args }: PoolTask): Promise<PoolOutcome> {
  try {
    const { default: run }: { default?: unknown } = await import(/* webpackIgnore: true */ /* @vite-ignore */ module)
    if (typeof run !== 'function') {
      throw new BusError('InternalError', `The module of ${describeCommand(method)} has no default export`)
    }
    return { value: await run(args) }
  } catch (thrown) {
    return { failure: toCausedErrorObject(toCloneable(method, toBusError(method, thrown))) }
  }
}

/** Removes data that cannot be passed between threads, because posting them would end this thread. */
function toCloneable(method: string, error: BusError): BusError {
  try {
    structuredClone(error.data)
    return error
  } catch (cause) {
    return withoutData(error, `The error of ${describeCommand(method)}`, cause)
  }
}
