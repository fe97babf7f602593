// What stands around the commands of the app and its plugins: after the capabilities, before the schema and the handler. It is
// put together once for each command; where there is none, a command is what it was.
import type { CommandContext } from './context.js'

/** One call, as middleware sees it. */
export interface MiddlewareCall {
  /** As it is called: `greet`, `plugin:fs|read_text_file`. */
  readonly command: string
  /** As they came, before any schema, with channels in place. */
  readonly args: unknown
  /** The handler's own. */
  readonly ctx: CommandContext
}

/**
 * Runs around each call of a command that a capability allows. What it returns answers the call; what it throws fails it, as a
 * handler's would. `next` runs the middleware after it and at last the handler, once, and gives the handler's result: for a
 * stream, its async iterable.
 *
 * @example
 * const timing: Middleware = async ({ command, ctx }, next) => {
 *   const began = performance.now()
 *   try {
 *     return await next()
 *   } finally {
 *     ctx.log.info({ command, ms: performance.now() - began })
 *   }
 * }
 */
export type Middleware = (call: MiddlewareCall, next: () => Promise<unknown>) => unknown
