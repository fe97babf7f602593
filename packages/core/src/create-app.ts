// The app, as handlers and setups see it.
import { toEventTarget } from '@sallyport/protocol'
import type { Logger } from 'pino'
import type { App, AppEventHandler } from './app.js'
import type { EventRouter } from './events.js'
import type { FrontendCallOptions } from './frontend-call.js'
import { LocalListeners } from './local-listeners.js'
import type { PathResolver } from './plugins/path/resolver.js'
import type { Resources } from './resources.js'
import { StateStore } from './state.js'

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
