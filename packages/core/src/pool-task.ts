// What runs in a thread of the pool: the default export of a user's module. Its outcome is wrapped, so that whatever it
// throws, `null` too, comes back as thrown; what is told of an error is decided here, where it is still whole.
import { BusError, describeCommand, toBusError, toErrorObject, withoutData } from '@sallyport/protocol'
import type { PoolOutcome, PoolTask } from './rpc/worker-pool.js'

export async function runTask({ method, module, args }: PoolTask): Promise<PoolOutcome> {
  try {
    const { default: run } = (await import(/* webpackIgnore: true */ /* @vite-ignore */ module)) as {
      default?: unknown
    }
    if (typeof run !== 'function')
      throw new BusError('InternalError', 'The module of this command has no default export')
    return { value: (await run(args)) as unknown }
  } catch (thrown) {
    return { failure: toErrorObject(cloneable(method, toBusError(method, thrown))) }
  }
}

/** Data that can't be passed between threads would end this one. */
function cloneable(method: string, error: BusError): BusError {
  try {
    structuredClone(error.data)
    return error
  } catch (cause) {
    return withoutData(error, `The error of ${describeCommand(method)}`, cause)
  }
}

/** For those that wait: a pool starts a thread with a task. */
export const doNothing = (): void => {}
