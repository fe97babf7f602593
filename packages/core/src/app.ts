// The app, as handlers and setups see it: events, state, resources, the folders of this machine, and the log.
import { toEventTarget, type BusEvent, type EventTarget } from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { EventRouter } from './events.js'
import type { FrontendCallOptions } from './frontend-call.js'
import { LocalListeners } from './local-listeners.js'
import type { PathResolver } from './plugins/path/resolver.js'
import type { Resources } from './resources.js'
import { StateStore, type StateKey } from './state.js'

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

export interface AppParts {
  call(label: string, name: string, args?: unknown, options?: FrontendCallOptions): Promise<unknown>
  router: EventRouter
  getLog: () => Logger
  resources: Resources
  path: PathResolver
}

export function createApp({ call, router, getLog, resources, path }: AppParts): App {
  const local = new LocalListeners(router)
  const store = new StateStore()
  const listen: App['listen'] = (event, handler, options = {}) =>
    local.listen(
      event,
      guarded(getLog, event, handler as AppEventHandler),
      toEventTarget(options.target ?? { kind: 'Any' }),
    )

  return {
    call: call as App['call'],
    get log(): Logger {
      return getLog()
    },
    emit: (event, payload = null) => router.emit(event, payload),
    emitTo: (target, event, payload = null) => router.emitTo(toEventTarget(target), event, payload),
    emitFilter: (event, payload, filter) =>
      // A frontend is asked for by its own label, whatever target its listener claims.
      router.emitWhere(event, payload, (target, { label }) =>
        label === undefined ? target.kind === 'Any' || filter(target) : filter({ kind: 'WebviewWindow', label }),
      ),
    listen,
    once: (event, handler, options) => {
      const id = listen(
        event,
        received => {
          local.unlisten(id)
          return handler(received as Parameters<typeof handler>[0])
        },
        options,
      )
      return id
    },
    unlisten: id => local.unlisten(id),
    manage: (key, value) => store.manage(key, value),
    state: key => store.get(key),
    resources,
    path,
  }
}

/** A listener that throws takes neither core nor the other listeners with it. */
function guarded(getLog: () => Logger, event: string, handler: AppEventHandler): AppEventHandler {
  const failed = (error: unknown): void => getLog().error({ event, err: error }, 'a listener failed')
  return received => {
    try {
      const result = handler(received)
      if (result instanceof Promise) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}
