// Creates the app object that handlers and setups use, and runs the setups and teardowns of a definition and its plugins.
import {
  BusError,
  createCallPromise,
  describeThrown,
  isBusError,
  isYes,
  toNames,
} from '@sallyport/protocol/internal/errors'
import {
  type BusEvent,
  type CallOptions,
  checkOptionNames,
  type EventTarget,
  toEventTarget,
  type TransferOptions,
  type Unlisten,
  type WaitOptions,
  watchEvent,
} from '@sallyport/protocol/internal/message'
import { isThenable } from '@sallyport/protocol/internal/util'
import type { Logger } from 'pino'
import type { EventHandler } from '@sallyport/frontend/internal'
import { type App, StateStore } from '../api/app.js'
import { createFrontendProxy, readResult, toFrontendResult } from '../api/frontend-proxy.js'
import { type Resources, runSequentially } from '../api/resources.js'
import type { Delivery, EventRouter, Payload, Subscriber } from '../events/router.js'
import type { PathResolver } from '@sallyport/paths/internal/api'
import { withDeadline } from '@sallyport/protocol/internal/contract'
import type { CoreDefinition, Plugin, PluginApi } from '../api/define.js'

export class LocalListeners implements Subscriber {
  readonly label = undefined
  readonly sharesPayload = true
  readonly #router: EventRouter
  readonly #listeners = new Map<number, { event: string; handler: (event: BusEvent) => unknown }>()
  readonly #waiting = new Set<(reason: BusError) => void>()
  #endReason: BusError | undefined

  constructor(router: EventRouter) {
    this.#router = router
  }

  listen(event: string, handler: (event: BusEvent) => unknown, target: EventTarget): number {
    const id = this.#router.listen(event, target, this)
    this.#listeners.set(id, { event, handler })
    return id
  }

  /** Resolves with the first event. @throws {BusError} InvalidParams, synchronously, for an invalid name or target */
  wait(event: string, { target = { kind: 'Any' }, ...deadline }: OnceOptions = {}): Promise<BusEvent> {
    let resolve: (received: BusEvent) => void = () => {}
    let reject: (reason: BusError) => void = () => {}
    let stopWatching = (): void => {}
    const id = this.listen(event, first => resolve(first), toEventTarget(target))
    const received = createCallPromise<BusEvent>((...settle) => {
      ;[resolve, reject] = settle
      stopWatching = watchEvent(event, deadline, reject)
      this.#waiting.add(reject)
      if (this.#endReason) reject(this.#endReason)
    })
    const end = (): void => {
      stopWatching()
      this.#waiting.delete(reject)
      this.unlisten(id)
    }
    received.then(end, end)
    return received
  }

  end(): void {
    this.#endReason = new BusError('Disconnected', 'The bus closed before the event', { data: { delivered: 'no' } })
    for (const reject of this.#waiting) reject(this.#endReason)
  }

  unlisten(id: number): void {
    const listener = this.#listeners.get(id)
    if (!listener) return
    this.#listeners.delete(id)
    this.#router.unlisten(listener.event, id, this)
  }

  deliver({ event, ids }: Delivery, { value: payload }: Payload): void {
    for (const id of ids) this.#listeners.get(id)?.handler({ event, id, payload })
  }
}

export interface AppDeps {
  call(
    label: string,
    name: string,
    args?: unknown,
    options?: CallOptions & TransferOptions,
    canStream?: boolean,
  ): Promise<unknown>
  router: EventRouter
  local: LocalListeners
  getLog: () => Logger
  resources: Resources
  path: PathResolver
}

export function createApp({ call, router, local, getLog, resources, path }: AppDeps): App {
  const store = new StateStore()
  const add = (where: string, event: string, handler: EventHandler, options: ListenOptions = {}): Unlisten => {
    checkOptionNames(where, options, LISTEN_OPTIONS, undefined, String)
    const target = toEventTarget(options.target ?? { kind: 'Any' })
    const id = local.listen(event, logErrors(getLog, event, handler), target)
    return () => local.unlisten(id)
  }

  return {
    call: ((label: string, name: string, args?: object, options?: CallOptions) =>
      call(label, name, args, options)) as App['call'],
    stream: ((label: string, name: string, args?: object, options: CallOptions & TransferOptions = {}) => {
      const leaving = new AbortController()
      const signal = options.signal ? AbortSignal.any([options.signal, leaving.signal]) : leaving.signal
      const request = (): Promise<unknown> => call(label, name, args, { ...options, signal }, true)
      return readResult(name, request, () => leaving.abort())
    }) as App['stream'],
    frontend: ((label: string) =>
      createFrontendProxy('app.frontend', label, (to, name, args, options) =>
        toFrontendResult(name, call(to, name, args, options, true), () => {}),
      )) as App['frontend'],
    get log(): Logger {
      return getLog()
    },
    emit: (event: string, payload: unknown = null) => router.emit(event, payload),
    emitTo: (target: string | EventTarget, event: string, payload: unknown = null) =>
      router.emitTo(toEventTarget(target), event, payload),
    emitFilter: (event: string, payload: unknown, filter: (target: EventTarget) => boolean) =>
      // The filter sees a frontend's own label, whatever target its listener claims.
      router.deliverWhere(event, payload, (target, { label }) => {
        const shown = label === undefined ? target : ({ kind: 'WebviewWindow', label } as const)
        return shown.kind === 'Any' || isYes('the filter of emitFilter', filter(shown))
      }),
    listen: (event: string, handler: EventHandler, options?: ListenOptions) =>
      add('app.listen', event, handler, options),
    once: ((event: string, handler?: EventHandler | WaitOptions, options?: ListenOptions) => {
      if (typeof handler !== 'function') {
        try {
          checkOptionNames('app.once', handler, ONCE_OPTIONS, undefined, String)
          return local.wait(event, handler)
        } catch (error) {
          return Promise.reject(error as BusError)
        }
      }
      const handleOnce: EventHandler = received => {
        unlisten()
        return handler(received)
      }
      const unlisten = add('app.once', event, handleOnce, options)
      return unlisten
    }) as App['once'],
    manage: (key, value) => store.manage(key, value),
    state: key => store.get(key),
    resources,
    path,
  }
}

type ListenOptions = { target?: string | EventTarget }
type OnceOptions = ListenOptions & WaitOptions
const LISTEN_OPTIONS = toNames<ListenOptions>({ target: true })
const ONCE_OPTIONS = toNames<OnceOptions>({ target: true, signal: true, timeout: true })

function logErrors(getLog: () => Logger, event: string, handler: EventHandler): EventHandler {
  const logError = (error: unknown): void => getLog().error({ event, err: error }, 'a listener failed')
  return received => {
    try {
      const result = handler(received)
      if (isThenable(result)) Promise.resolve(result).catch(logError)
    } catch (error) {
      logError(error)
    }
  }
}

/** Time for the teardowns after a setup, or joining the network, has failed. */
export const FAILED_START_MS = 1000

/** Runs all teardowns, the last setup's first. Resolves early if the signal aborts, and never rejects. */
export type Teardown = (signal: AbortSignal) => Promise<void>

/** Runs the setups of the plugins in their order, then the definition's. Earlier setups are torn down if one fails. */
export async function setupPlugins(
  definition: CoreDefinition,
  app: App,
  getApi: (plugin: Plugin) => PluginApi,
  closeResources: Teardown,
): Promise<Teardown> {
  const teardowns: (() => unknown)[] = []
  const tearDown: Teardown = async signal => {
    const steps = teardowns.splice(0).reverse()
    await runSequentially(steps, signal, error => app.log.error({ err: error }, 'a teardown failed'))
    await closeResources(signal)
  }
  try {
    for (const plugin of definition.plugins ?? []) {
      const pluginApp = createPluginApp(plugin, app)
      await runSetup(`failed to initialize plugin \`${plugin.name}\``, () => plugin.setup?.(pluginApp, getApi(plugin)))
      teardowns.push(() => plugin.teardown?.(pluginApp))
    }
    await runSetup('`setup` of the core module failed', () => definition.setup?.(app))
  } catch (error) {
    await withDeadline(FAILED_START_MS, tearDown)
    throw error
  }
  teardowns.push(() => definition.teardown?.(app))
  return tearDown
}

async function runSetup(failed: string, setup: () => unknown): Promise<void> {
  try {
    await setup()
  } catch (cause) {
    const message = `${failed}: ${describeThrown(cause)}`
    throw new BusError(isBusError(cause) ? cause.reason : 'LoadFailed', message, { cause })
  }
}

function createPluginApp({ name }: Plugin, app: App): App {
  let log: App['log'] | undefined
  const getLog = (): App['log'] => (log ??= app.log.child({ plugin: name }))
  return Object.create(app, { log: { get: getLog, enumerable: true } })
}
