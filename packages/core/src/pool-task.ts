// What runs in a thread of the pool: the default export of a user's module. Its outcome is wrapped, so that whatever it
// throws, `null` too, comes back as thrown; what is told of an error is decided here, where it is still whole.
import type { ErrorObject } from '@sallyport/protocol'
import { BusError, failureOf, toErrorObject } from '@sallyport/protocol'

export interface PoolTask {
  method: string
  module: string
  args: unknown
}

export type PoolOutcome = { value: unknown } | { failure: ErrorObject }

export async function runTask({ method, module, args }: PoolTask): Promise<PoolOutcome> {
  try {
    const { default: run } = (await import(module)) as { default?: unknown }
    if (typeof run !== 'function')
      throw new BusError('InternalError', 'The module of this command has no default export')
    return { value: (await run(args)) as unknown }
  } catch (thrown) {
    return { failure: toErrorObject(failureOf(method, thrown)) }
  }
}

/** For those that wait: a pool starts a thread with a task. */
export const doNothing = (): void => {}
