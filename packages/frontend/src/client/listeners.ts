// The event listeners of one client, and the requests that register them with core. Listeners outlive a connection: over the next
// one they get new ids in core, while the client keeps the id that each had first.
import {
  BusError,
  createCallPromise,
  describeCommand,
  describeName,
  isBusError,
} from '@sallyport/protocol/internal/errors'
import { checkDeadline, METHOD, watchDeadline } from '@sallyport/protocol/internal/message'
import { IS_NODE, isThenable, throwLater, warn } from '@sallyport/protocol/internal/util'
import type { BusEvent, CallHeaders, EventParams, EventTarget, WaitOptions } from '@sallyport/protocol/internal/message'
import type { Connection } from './connection.js'

/** Receives each event of a listener. The return value is ignored. */
export type EventHandler<T = unknown> = (event: BusEvent<T>) => unknown

export interface Subscription {
  readonly event: string
  readonly target: EventTarget
  readonly headers: CallHeaders | undefined
  readonly handler: EventHandler
}

interface Listener extends Subscription {
  readonly id: number
  /** Core's id; `undefined` while core does not know the listener. */
  coreId: number | undefined
}

export class Listeners {
  readonly all: Map<number, Listener> = new Map()
  readonly #byCoreId = new Map<number, Listener>()
  /** True if a listener was registered since its owner has settled all. Not in pages. */
  declare hasNew: boolean | undefined
  /** The calls and events of its client are refused. Not in pages. */
  declare isRefused?: boolean

  /** Registers a listener with core. Resolves with the client's id. @throws {BusError} as `Client.listen` does */
  subscribe(connection: Connection, subscription: Subscription, options: WaitOptions): Promise<number> {
    return createCallPromise((resolve, reject) => {
      const subject = describeCommand(METHOD.listen)
      checkDeadline(subject, options)
      const { event, target, headers } = subscription
      let isOver = false
      let release: (() => void) | undefined
      const fail = (error: BusError): void => {
        isOver = true
        release?.()
        reject(error)
      }
      // The listener is added before the next message is read: its events can follow in the same frame.
      const succeed = (coreId: unknown): void => {
        // The request itself has no deadline, so that an abandoned listener does not remain in core.
        if (isOver) return unsubscribeInCore(connection, event, coreId as number)
        release?.()
        resolve(this.#add(coreId as number, subscription))
      }
      connection.request({ command: METHOD.listen, args: { event, target }, headers, resolve: succeed, reject: fail })
      if (IS_NODE) this.hasNew = true
      release = watchDeadline(subject, options, fail)
    })
  }

  unsubscribe(connection: Connection, event: string, id: number): void {
    const coreId = this.remove(id)
    if (coreId !== undefined) unsubscribeInCore(connection, event, coreId)
  }

  /** Registers all listeners over a new connection, in their order. Resolves once core has answered for each. */
  async resubscribe(connection: Connection): Promise<void> {
    await Promise.all(Array.from(this.all.values(), listener => this.#resubscribe(connection, listener)))
  }

  #resubscribe(connection: Connection, { id, event, target, headers }: Listener): Promise<void> {
    return new Promise(done => {
      const resolve = (coreId: unknown): void => {
        const listener = this.all.get(id)
        if (listener) this.#setCoreId(listener, coreId as number)
        else unsubscribeInCore(connection, event, coreId as number)
        done()
      }
      const reject = (error: BusError): void => {
        // Without a link, the listener waits for the next connection. Its owner is not notified of any other failure.
        if (error.reason !== 'Disconnected' && this.all.has(id)) {
          this.remove(id)
          warn(`Listener of ${describeName(event)} lost: ${error.message}`)
        }
        done()
      }
      connection.requestInternal({ command: METHOD.listen, args: { event, target }, headers, resolve, reject })
    })
  }

  remove(id: number): number | undefined {
    const listener = this.all.get(id)
    if (!listener) return undefined
    this.all.delete(id)
    if (listener.coreId !== undefined) this.#byCoreId.delete(listener.coreId)
    return listener.coreId
  }

  /** The connection has closed, so core has forgotten all listeners. */
  disconnected(): void {
    this.#byCoreId.clear()
    for (const listener of this.all.values()) listener.coreId = undefined
  }

  dispatch(params: EventParams): void {
    const { event, ids } = params
    const payloads: unknown = 'payloads' in params ? params.payloads : [params.payload]
    if (!Array.isArray(ids) || !Array.isArray(payloads)) return
    for (const payload of payloads as unknown[]) this.#dispatch(event, ids, payload)
  }

  /** What it asks for while the host closes is refused, which must not end the thread as an unhandled rejection. */
  readonly #rejected = (error: unknown): void => {
    if (!this.isRefused || !isBusError(error, 'Disconnected')) throw error
  }

  /** A handler that throws does not stop the others: its error is thrown in the thread, as in a browser. */
  #dispatch(event: string, ids: readonly number[], payload: unknown): void {
    for (const coreId of ids) {
      const listener = this.#byCoreId.get(coreId)
      if (!listener) continue
      try {
        // Each handler gets its own event, and no `this`: that would give a script the client's records.
        const { handler, id } = listener
        const handled = handler({ event, id, payload })
        if (IS_NODE && isThenable(handled)) void handled.then(undefined, this.#rejected)
      } catch (error) {
        throwLater(error)
      }
    }
  }

  /** Uses core's id as the client's id unless an earlier listener has it. */
  #add(coreId: number, subscription: Subscription): number {
    let id = coreId
    while (this.all.has(id)) id++
    const listener: Listener = { ...subscription, id, coreId: undefined }
    this.all.set(id, listener)
    this.#setCoreId(listener, coreId)
    return id
  }

  #setCoreId(listener: Listener, coreId: number): void {
    listener.coreId = coreId
    this.#byCoreId.set(coreId, listener)
  }
}

function unsubscribeInCore(connection: Connection, event: string, eventId: number): void {
  if (connection.isClosed) return
  const ignore = (): void => {}
  connection.requestInternal({ command: METHOD.unlisten, args: { event, eventId }, resolve: ignore, reject: ignore })
}

/** @throws {BusError} `InvalidParams` if the handler is not a function */
export function checkHandler(event: string, handler: unknown): void {
  if (typeof handler === 'function') return
  const problem = `The handler of event ${describeName(event)} must be a function: got ${typeof handler}`
  throw new BusError('InvalidParams', problem)
}
