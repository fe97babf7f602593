// The context that a handler receives in addition to its arguments, and the types of middleware. Rarely used members are created on first access.
import type { CallHeaders } from '@sallyport/protocol/internal'
import type { Logger } from 'pino'
import type { CommandScope } from '../acl/scope.js'
import type { App } from './app.js'
import type { Resources } from './resources.js'

/** The request of a call. */
export interface CommandRequest {
  /** Headers of the call. */
  readonly headers: CallHeaders
  /** Named arguments before any schema, with channels in place; or bytes (`Uint8Array`) as a raw body. */
  readonly body: unknown
}

/** The second argument of a handler. */
export interface CommandContext {
  /** The app. */
  readonly app: App
  /** The label of the calling frontend. It comes from the link, so no message can claim another. */
  readonly label: string
  /** Aborts when the caller cancels, times out or disconnects, or when the bus closes. */
  readonly signal: AbortSignal
  /** A child of core's log. Its lines have `label` and `command`, and `plugin` if the command belongs to one. */
  readonly log: Logger
  /** Headers and body of the call. */
  readonly request: CommandRequest
  /** The scope that the caller's permissions give to the command. */
  readonly scope: CommandScope
  /** Resources that stay open for this frontend between its calls, by number. They are closed when the frontend disconnects. */
  readonly resources: Resources
  /**
   * Asks the host's `onConfirm`, and resolves to `false` without one. The text is shown with control characters
   * replaced, and cut after 4096 characters. The caller's deadline keeps running.
   *
   * @throws {BusError} Overloaded while 16 requests of this frontend are open; the signal's reason when the call is aborted
   * @example if (!(await ctx.confirm(`Delete ${path}?`))) throw new CommandError('REFUSED')
   */
  readonly confirm: (text: string) => Promise<boolean>
  /** Returns the value given to `app.manage`: `ctx.state(Counter)`. @throws like `app.state` */
  readonly state: App['state']
}

// Middleware runs around the commands of the app and its plugins, after the capabilities, before schema and handler. It is
// composed once for each command; a command without middleware pays nothing.

/** One call, as middleware sees it. */
export interface MiddlewareCall {
  /** The method: `greet`, `plugin:fs|read_text_file`. */
  readonly command: string
  /** The arguments before any schema, with channels in place. */
  readonly args: unknown
  /** The handler's own context. */
  readonly ctx: CommandContext
}

/**
 * Runs around each call that a capability allows. The returned value answers the call, and an error fails it, as a
 * handler's would. `next` runs the remaining middleware and then the handler, once, and returns the handler's result: for a
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
