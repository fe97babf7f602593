// Wraps the handler of a command in the app's middleware.
import { BusError, describeCommand } from '@sallyport/protocol/internal/errors'
import { discard, isAsyncIterable } from '@sallyport/protocol/internal/util'
import type { Middleware, MiddlewareCall } from '../api/app.js'
import type { IncomingCall } from './call-table.js'
import type { Runnable } from './runnable-command.js'

/** Returns `run` itself if there is no middleware, so that calls cost nothing more. @param use from the outermost inwards */
export function wrapWithMiddleware(use: readonly Middleware[], method: string, run: Runnable['run']): Runnable['run'] {
  if (use.length === 0) return run

  return async (args, ctx) => {
    const call: MiddlewareCall = Object.freeze({ command: method, args, ctx })
    let handlerResult: unknown
    let isUnread = false
    const runHandler = async (): Promise<unknown> => {
      handlerResult = await run(args, ctx)
      if (isUnread) discardStream(handlerResult)
      return handlerResult
    }
    let result: unknown
    try {
      result = await use.reduceRight<Run>((inner, middleware) => wrap(middleware, call, ctx, inner), runHandler)()
      return result
    } finally {
      isUnread = !isAsyncIterable(result)
      if (isUnread) discardStream(handlerResult)
    }
  }
}

type Run = () => Promise<unknown>

/** Returns a function that runs a middleware, whose `next` runs `inner`: the next middleware, or the handler. */
const wrap =
  (middleware: Middleware, call: MiddlewareCall, ctx: IncomingCall, inner: Run): Run =>
  async () => {
    let state: 'running' | 'nextCalled' | 'ended' = 'running'
    const runNext: Run = async () => {
      const { method, abortReason } = ctx
      if (state !== 'running') {
        const when = state === 'nextCalled' ? 'twice' : 'after it had ended'
        throw new BusError('InternalError', `A middleware of ${describeCommand(method)} called next ${when}`)
      }
      state = 'nextCalled'
      // The caller no longer waits, and the handler has not begun.
      if (abortReason) throw abortReason
      return inner()
    }
    const next: Run = () => {
      const result = runNext()
      // A `next()` that is not awaited must not end core: callers can make it fail.
      result.catch(() => {})
      return result
    }
    try {
      return await middleware(call, next)
    } finally {
      if (state === 'running') state = 'ended'
    }
  }

/** Ends a stream that no middleware passed on, because nothing reads it. */
function discardStream(result: unknown): void {
  if (isAsyncIterable(result)) void discard(result)
}
