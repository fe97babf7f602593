// The methods of a bus with overloads: a class would have to repeat those of the interfaces that core and clients share.
import type { Client, EventHandler, EventMethods, InvokeOptions, ListenOptions } from '@sallyport/frontend/internal'
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import type { EventTarget, TransferOptions } from '@sallyport/protocol/internal/message'
import type { BusTypes, FrontendFunctions } from '../api/app.js'
import { createFrontendProxy } from '../api/frontend-proxy.js'
import { isBusEvent } from '../life/reporting/events.js'
import { callFunction, callOrStream, checkCall, streamFrontend } from './call-frontend.js'
import type { Host } from './host.js'
import type { LocalCore } from './local-core.js'

class UntypedFunctions implements Record<keyof (EventMethods & FrontendFunctions), unknown> {
  readonly #host: Host<LocalCore>
  readonly #client: Client

  constructor(host: Host<LocalCore>) {
    this.#host = host
    this.#client = host.core.client
  }

  emit(event: string, payload?: unknown, options?: TransferOptions): Promise<void> {
    return this.#client.emit(event, payload, options)
  }

  emitTo(target: string | EventTarget, event: string, payload?: unknown, options?: TransferOptions): Promise<void> {
    return this.#client.emitTo(target, event, payload, options)
  }

  listen(event: string, handler: EventHandler<never>, options?: ListenOptions): Promise<unknown> {
    checkEventName('bus.listen', event)
    return this.#client.listen(event, handler, options)
  }

  once(event: string, handler?: EventHandler<never> | ListenOptions, options?: ListenOptions): Promise<unknown> {
    checkEventName('bus.once', event)
    if (typeof handler !== 'function' && options === undefined) return this.#client.once<never>(event, handler)
    return this.#client.once(event, handler as EventHandler<never>, options)
  }

  call(label: string, name: string, args?: object, options?: InvokeOptions): Promise<unknown> {
    return callFunction(this.#host, label, name, args, options)
  }

  stream(label: string, name: string, args?: object, options?: InvokeOptions): AsyncIterable<unknown> {
    checkCall('bus.stream', label, name, args, options)
    return streamFrontend(this.#host, { label, name, args, options })
  }

  frontend(label: string): unknown {
    return createFrontendProxy('bus.frontend', label, (to, name, args, options) =>
      callOrStream(this.#host, { label: to, name, args, options }),
    )
  }
}

/** The base of `Bus`. Its parameter is a `Host`. */
export const BusFunctions: abstract new <Types extends BusTypes = BusTypes>(
  host: object,
) => EventMethods<Types> & FrontendFunctions<Types> = UntypedFunctions as never

/** @throws {BusError} InvalidParams for a name of the bus's own events */
function checkEventName(where: string, event: string): void {
  if (!isBusEvent(event)) return
  const remedy = 'Use bus.on to listen to it, or another name for an event of the application'
  throw new BusError('InvalidParams', `${where}: ${describeName(event)} is an event of the bus itself. ${remedy}`)
}
