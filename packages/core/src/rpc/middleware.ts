// Runs the middleware of a command around its handler.
import { BusError, describeCommand, isAsyncIterable } from '@sallyport/protocol'
import type { Middleware, MiddlewareCall } from '../api/context.js'
import { dismiss } from '../shared/async-iterable.js'
import type { Call, Runnable } from './call.js'

/** @param use from the outermost */
export function wrapWithMiddleware(use: readonly Middleware[], method: string, run: Runnable['run']): Runnable['run'] {
  if (use.length === 0) return run

  return async (args, ctx) => {
    const call: MiddlewareCall = Object.freeze({ command: method, args, ctx })
    let given: unknown
    let unread = false
    const handle = async (): Promise<unknown> => {
      given = await run(args, ctx)
      if (unread) leave(given)
      return given
    }
    try {
      const result = await enter(use, 0, call, ctx, handle)
      unread = !isAsyncIterable(result)
      return result
    } catch (error) {
      unread = true
      throw error
    } finally {
      if (unread) leave(given)
    }
  }
}

async function enter(
  use: readonly Middleware[],
  at: number,
  call: MiddlewareCall,
  ctx: Call,
  handle: () => Promise<unknown>,
): Promise<unknown> {
  const middleware = use[at]
  if (!middleware) return handle()
  let state: 'before' | 'passed' | 'ended' = 'before'
  const pass = async (): Promise<unknown> => {
    const { method, givenUp } = ctx
    if (state !== 'before') {
      const why = state === 'passed' ? 'twice' : 'after it had ended'
      throw new BusError('InternalError', `A middleware of ${describeCommand(method)} has called next ${why}`)
    }
    state = 'passed'
    // Nobody waits for it any more, and it has not begun.
    if (givenUp) throw givenUp
    return enter(use, at + 1, call, ctx, handle)
  }
  const next = (): Promise<unknown> => {
    const passing = pass()
    // One that nobody awaits ends no core: a caller may have made it fail.
    passing.catch(() => {})
    return passing
  }
  try {
    return await middleware(call, next)
  } finally {
    if (state === 'before') state = 'ended'
  }
}

/** A stream that was not passed on: nobody reads it. */
function leave(given: unknown): void {
  if (isAsyncIterable(given)) void dismiss(given)
}
