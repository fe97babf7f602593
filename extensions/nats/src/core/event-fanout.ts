// Events between the instances of a bus: events emitted here are published, encrypted, and events of other instances are delivered to
// the listeners here. An event that cannot be sent is dropped and reported, because events have no acknowledgement.
import { codecs, encodeInline } from '@sallyport/protocol/internal/codec'
import { BusError } from '@sallyport/protocol/internal/errors'
import { type EventTarget, toEventTarget } from '@sallyport/protocol/internal/message'
import { FULL_BATCH_BYTES, Outbox } from '@sallyport/protocol/internal/rpc'
import { MAX_UNSENT_EVENT_BYTES } from '@sallyport/protocol/internal/wire'
import { createBroadcast } from './broadcast.js'
import type { ProcessConnection } from '../connection/process-connection.js'
import { CORE_LABEL } from '../connection/errors.js'
import { eventsSubject } from '../connection/subjects.js'
import type { InstanceContext } from './presence.js'

/** Bytes that sealing and joining can add to the events of a message. */
const OVERHEAD_BYTES = 512

export function fanOutEvents({ hub, connection, faults, ...identity }: InstanceContext): void {
  const subject = eventsSubject(identity.bus)
  const broadcast = createBroadcast({ ...identity, subject })
  const window = new PublishWindow(connection)
  const report = (createError: () => BusError): void => faults.add({ label: CORE_LABEL, createError })
  const addToBatch = createEventBatch(publish)

  function add(target: EventTarget | undefined, event: string, payload: unknown): void {
    if (!connection.isConnected) return
    const maxBytes = connection.maxPayload - OVERHEAD_BYTES
    if (addToBatch({ target: target ?? null, event, payload }, maxBytes)) return
    const cause = `it exceeds the server's limit of ${maxBytes} bytes`
    report(() => new BusError('Overloaded', `The event ${event} was not sent to the other instances: ${cause}`))
  }

  function publish(body: Uint8Array, count: number): void {
    if (!connection.isConnected) return
    const message = broadcast.seal(body)
    const dropped = `${count} events were not sent to the other instances`
    if (!window.add(message.byteLength)) {
      return report(() => new BusError('Overloaded', `${dropped}: the server is slower than they are emitted`))
    }
    // The emitter has returned by now, so an error can only be reported.
    try {
      connection.publish(subject, message)
    } catch (cause) {
      report(() => new BusError('Disconnected', `${dropped}: the connection is closed`, { cause }))
    }
  }

  function handleMessage(message: Uint8Array): void {
    const opened = broadcast.open(message)
    if (opened === 'early') return
    if (!opened) return report(() => new BusError('InvalidRequest', 'A forged or replayed event message was dropped'))
    try {
      for (const event of readEvents(opened.plain)) deliver(opened.instance, event)
    } catch (cause) {
      report(() => new BusError('InvalidRequest', `Events of instance ${opened.instance} are malformed`, { cause }))
    }
  }

  function deliver(instance: string, { target, event, payload }: SentEvent): void {
    try {
      hub.deliver(target == null ? undefined : toEventTarget(target), event, payload)
    } catch (cause) {
      report(() => new BusError('InvalidRequest', `An event of instance ${instance} was not delivered`, { cause }))
    }
  }

  hub.onEmit(add)
  connection.subscribe(subject, ({ data }) => handleMessage(data))
}

export interface SentEvent {
  target: EventTarget | null
  event: string
  payload: unknown
}

/**
 * Batches the events of one tick: sealing and sending a message costs more than routing a dozen events. The returned function adds an
 * event, encoded immediately. It returns false if the event alone exceeds the limit of a message.
 */
export function createEventBatch(
  send: (body: Uint8Array, count: number) => void,
): (params: SentEvent, maxBytes: number) => boolean {
  const outbox = new Outbox(({ body }, count) => send(body as Uint8Array, count))
  return (params, maxBytes) => {
    const encoded = encodeInline({ jsonrpc: '2.0', method: 'event', params })
    if (encoded.length > maxBytes) return false
    outbox.maxBytes = Math.min(maxBytes, FULL_BATCH_BYTES)
    outbox.put(codecs.msgpack, encoded)
    return true
  }
}

/** Reads an authentic batch. @throws for a batch of an incompatible version */
export function readEvents(body: Uint8Array): readonly SentEvent[] {
  const decoded: unknown = codecs.msgpack.decode(body, true)
  const messages: { params: SentEvent }[] = Array.isArray(decoded) ? decoded : [decoded]
  return messages.map(({ params }) => params)
}

/** Bounds the bytes that were published and not yet received by the server. The client itself would queue them without a limit. */
export class PublishWindow {
  readonly #connection: Pick<ProcessConnection, 'flush'>
  #bytes = 0
  #isFlushing = false

  constructor(connection: Pick<ProcessConnection, 'flush'>) {
    this.#connection = connection
  }

  /** Returns false if the window is full: the bytes must not be published. A single larger message fits into an empty window. */
  add(bytes: number): boolean {
    if (this.#bytes > 0 && this.#bytes + bytes > MAX_UNSENT_EVENT_BYTES) return false
    this.#bytes += bytes
    if (!this.#isFlushing) void this.#flush()
    return true
  }

  async #flush(): Promise<void> {
    this.#isFlushing = true
    while (this.#bytes > 0) {
      // Other messages of this tick are published before the flush.
      await Promise.resolve()
      const flushed = this.#bytes
      try {
        await this.#connection.flush()
        this.#bytes -= flushed
      } catch {
        // The messages are lost with the connection.
        this.#bytes = 0
      }
    }
    this.#isFlushing = false
  }
}
