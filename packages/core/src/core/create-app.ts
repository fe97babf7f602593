// The app, as handlers and setups see it.
import { type BusEvent, type EventTarget, toEventTarget } from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { App, AppEventHandler } from '../api/app.js'
import type { FrontendCallOptions } from '../api/frontend-call.js'
import type { Resources } from '../api/resources.js'
import { StateStore } from '../api/state.js'
import type { Delivery, Subscriber, Payload } from '../events/delivery.js'
import type { EventRouter } from '../events/router.js'
import type { PathResolver } from '../path/resolver.js'

// Listeners that are functions of this thread: those of core.

export class LocalListeners implements Subscriber {
  readonly label = undefined
  readonly sharesPayload = true
  readonly #router: EventRouter
  readonly #handlers = new Map<number, { event: string; handler: (event: BusEvent) => unknown }>()

  constructor(router: EventRouter) {
    this.#router = router
  }

  listen(event: string, handler: (event: BusEvent) => unknown, target: EventTarget): number {
    const id = this.#router.listen(event, target, this)
    this.#handlers.set(id, { event, handler })
    return id
  }

  unlisten(id: number): void {
    const listener = this.#handlers.get(id)
    if (!listener) return
    this.#handlers.delete(id)
    this.#router.unlisten(listener.event, id, this)
  }

  deliver({ event, ids }: Delivery, { value: payload }: Payload): void {
    for (const id of ids) this.#handlers.get(id)?.handler({ event, id, payload })
  }
}

export interface AppDeps {
  call(label: string, name: string, args?: unknown, options?: FrontendCallOptions): Promise<unknown>
  router: EventRouter
  getLog: () => Logger
  resources: Resources
  path: PathResolver
}

export function createApp({ call, router, getLog, resources, path }: AppDeps): App {
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
