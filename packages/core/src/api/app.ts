// The app, as handlers and setups see it: events, state, resources, the folders of this machine, and the log.
import type { BusEvent, EventTarget } from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { PathResolver } from '../path/resolver.js'
import type { FrontendCallOptions } from './frontend-call.js'
import type { Resources } from './resources.js'
import type { StateKey } from './state.js'

/** What it returns is not looked at, but for a promise that rejects: it is logged. */
export type AppEventHandler<T = unknown> = (event: BusEvent<T>) => unknown

export interface App {
  /** Core's log. That of a plugin's `setup` and `teardown` has the plugin's name in each line, as `plugin`. */
  readonly log: Logger
  /** Sends an event to every listener: in core, the host and all frontends. */
  emit(event: string, payload?: unknown): void
  /** Sends an event to the listeners that match `target`: a label, or one of Tauri's targets. */
  emitTo(target: string | EventTarget, event: string, payload?: unknown): void
  /** Sends an event to the frontends that `filter` accepts, as `{ kind: 'WebviewWindow', label }`, and to core's listeners. */
  emitFilter(event: string, payload: unknown, filter: (target: EventTarget) => boolean): void
  /** Listens, and gives the id that takes the listener away. */
  listen<T = unknown>(event: string, handler: AppEventHandler<T>, options?: AppListenOptions): number
  once<T = unknown>(event: string, handler: AppEventHandler<T>, options?: AppListenOptions): number
  unlisten(id: number): void
  /**
   * Keeps `value` for all handlers, by its class or a key of `stateKey`. False where the key is managed already: the old
   * value stays, as in Tauri.
   *
   * @example app.manage(Counter, new Counter())
   */
  manage<T>(key: StateKey<T>, value: T): boolean
  /** @throws BusError `InternalError`, with Tauri's text, where nothing is managed by `key` */
  state<T>(key: StateKey<T>): T
  /**
   * Calls a function that a frontend exposes. What it answers is the frontend's word, and no more trusted than its calls.
   *
   * @param args named arguments, or bytes as the whole body
   * @throws BusError `Disconnected` where there is no such frontend, or it goes away meanwhile; `MethodNotFound`, `Cancelled`,
   * `Timeout`, `Overloaded`; `CommandFailed` with what the function threw as its `data`
   * @example const src = await app.call<string>('main', 'transform', { src }, { timeout: 1000 })
   */
  call<T = unknown>(label: string, name: string, args?: object, options?: FrontendCallOptions): Promise<T>
  /** What is kept open for everybody, by number, until core ends. Any frontend may close these with Tauri's `Resource`. */
  readonly resources: Resources
  /** Where the folders of this machine and of this program are. */
  readonly path: PathResolver
}

export interface AppListenOptions {
  /** `{ kind: 'Any' }` by default: core hears everything. */
  target?: string | EventTarget
}
