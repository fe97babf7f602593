// What a handler is given beside its arguments. Parts that most handlers never touch are made when they are read.
import type { CallHeaders } from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { CommandScope } from '../acl/scope.js'
import type { App } from './app.js'
import type { Resources } from './resources.js'

export interface CommandRequest {
  readonly headers: CallHeaders
  /** Named arguments as they came, before any schema, with channels in place; or bytes (`Uint8Array`), as a raw body. */
  readonly body: unknown
}

export interface CommandContext {
  readonly app: App
  /** The frontend that calls. It is known by its link: no message can claim another. */
  readonly label: string
  /** Aborts when the caller gives up or goes away, or when the bus closes. */
  readonly signal: AbortSignal
  /** Of core's log: its lines have `label` and `command`, and `plugin` where a plugin has the command. */
  readonly log: Logger
  readonly request: CommandRequest
  /** What the caller's permissions allow and deny beyond calling the command. */
  readonly scope: CommandScope
  /** What is kept open for this frontend between its calls, by number; closed when it goes. */
  readonly resources: Resources
  /**
   * Asks the host's `onConfirm`, and a person perhaps: `false` where there is none. The text is shown with control characters
   * replaced, and cut at 4096 characters. The caller's deadline goes on meanwhile.
   *
   * @throws BusError `Overloaded` while 16 questions of this frontend are open; the signal's reason once it aborts
   * @example if (!(await ctx.confirm(`Delete ${path}?`))) throw new CommandError('REFUSED')
   */
  readonly confirm: (text: string) => Promise<boolean>
  /** What `app.manage` was given: `ctx.state(Counter)`. @throws what `app.state` throws */
  readonly state: App['state']
}

// What stands around the commands of the app and its plugins: after the capabilities, before the schema and the handler. It is
// put together once for each command; where there is none, a command is what it was.

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
