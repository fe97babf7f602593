// The app, as handlers and `setup` see it: events, state, resources, this machine's directories, and the log.
import type { BusEvent, CallOptions, EventTarget } from '@sallyport/protocol/internal'
import type { Logger } from 'pino'
import type { PathResolver } from '../path/resolver.js'
import type { FrontendCallOptions } from './frontend-call.js'
import type { Resources } from './resources.js'
import type { StateKey } from './state.js'

/** Handles an event. A rejected promise is logged; any other return value is ignored. */
export type AppEventHandler<T = unknown> = (event: BusEvent<T>) => unknown

/** The app in core, as handlers and `setup` see it. */
export interface App {
  /** Core's log. In a plugin's `setup` and `teardown` each line has the plugin's name as `plugin`. */
  readonly log: Logger
  /** Sends an event to every listener: in core, the host and all frontends. */
  emit(event: string, payload?: unknown): void
  /** Sends an event to the listeners that match `target`: a label, or one of Tauri's targets. */
  emitTo(target: string | EventTarget, event: string, payload?: unknown): void
  /** Sends an event to the frontends that `filter` accepts, as `{ kind: 'WebviewWindow', label }`, and to core's listeners. */
  emitFilter(event: string, payload: unknown, filter: (target: EventTarget) => boolean): void
  /** Adds a listener and returns its id, for `unlisten`. */
  listen<T = unknown>(event: string, handler: AppEventHandler<T>, options?: AppListenOptions): number
  /**
   * Waits for an event.
   *
   * @throws {BusError} InvalidParams, synchronously, for an invalid name. The promise rejects with Timeout or Cancelled
   * @example const { payload } = await app.once<number>('done', { timeout: 5000 })
   */
  once<T = unknown>(event: string, options?: AppListenOptions & CallOptions): Promise<BusEvent<T>>
  /** Listens to an event once. Returns the listener's id, for `unlisten`. */
  once<T = unknown>(event: string, handler: AppEventHandler<T>, options?: AppListenOptions): number
  /** Removes the listener with this id. */
  unlisten(id: number): void
  /**
   * Keeps `value` for all handlers, by its class or a key of `stateKey`. Returns false if the key is managed already: the
   * first value stays, as in Tauri.
   *
   * @example app.manage(Counter, new Counter())
   */
  manage<T>(key: StateKey<T>, value: T): boolean
  /** Returns the value that `manage` keeps. @throws {BusError} InternalError, with Tauri's text, if nothing is managed by `key` */
  state<T>(key: StateKey<T>): T
  /**
   * Calls a function that a frontend exposes. Treat the result as untrusted, like the frontend's calls.
   *
   * @param args named arguments, or bytes as the whole body
   * @throws {BusError} Disconnected if there is no such frontend, or it disconnects during the call; MethodNotFound, Cancelled,
   * Timeout, Overloaded; CommandFailed with what the function threw as its `data`
   * @example const src = await app.call<string>('main', 'transform', { src }, { timeout: 1000 })
   */
  call<T = unknown>(label: string, name: string, args?: object, options?: FrontendCallOptions): Promise<T>
  /** Resources of the app, by number, open until core ends. Any frontend may close them with Tauri's `Resource`. */
  readonly resources: Resources
  /** Resolves directories of this machine and of this program. */
  readonly path: PathResolver
}

/** Options of a listener in core. */
export interface AppListenOptions {
  /** @default { kind: 'Any' }, every event */
  target?: string | EventTarget
}
