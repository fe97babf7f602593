// Events between the instances of a bus: what is emitted here is published, sealed, and what comes of the others is delivered to
// the listeners here. An event that can't go is dropped, counted and told: nobody waits for events.
import type { Hub } from '@sallyport/core/network'
import { BusError, codecs, type EventTarget, toEventTarget } from '@sallyport/protocol'
import { createBroadcast, type Identity } from '../broadcast/broadcast.js'
import type { Connection } from '../connection/connection.js'
import { type Faults, NOBODY } from '../connection/errors.js'
import { eventsSubject } from '../connection/subjects.js'

// Events of one turn, gathered into messages: to seal and to send one costs more than to route a dozen events.

/** Bytes after which a message is sent before its turn has ended. */
const FULL_BYTES = 16 * 1024
const METHOD = 'event'

export interface SentEvent {
  target: EventTarget | null
  event: string
  payload: unknown
}

export class EventBatch {
  readonly #send: (body: Uint8Array, count: number) => void
  #waiting: Uint8Array[] = []
  #bytes = 0

  constructor(send: (body: Uint8Array, count: number) => void) {
    this.#send = send
  }

  /**
   * The event is written down as it is now.
   *
   * @param most bytes of a message. False where it has more by itself
   * @throws for a payload that MessagePack can't carry
   */
  add(params: SentEvent, most: number): boolean {
    const written = codecs.msgpack.encode({ jsonrpc: '2.0', method: METHOD, params }, true) as Uint8Array
    if (written.byteLength > most) return false
    if (this.#bytes + written.byteLength > Math.min(most, FULL_BYTES)) this.#flush()
    if (this.#waiting.length === 0) process.nextTick(this.#flush)
    this.#waiting.push(written)
    this.#bytes += written.byteLength
    return true
  }

  readonly #flush = (): void => {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    this.#bytes = 0
    this.#send(codecs.msgpack.join(waiting) as Uint8Array, waiting.length)
  }
}

/** Other instances have sent it: what is no list of events comes of another version. */
export function readEvents(body: Uint8Array): readonly SentEvent[] {
  const decoded = codecs.msgpack.decode(body, true) as unknown
  const messages = (Array.isArray(decoded) ? decoded : [decoded]) as { params: SentEvent }[]
  return messages.map(({ params }) => params)
}

const MAX_UNSENT_BYTES = 16 * 2 ** 20

export class PublishWindow {
  readonly #connection: Pick<Connection, 'flush'>
  #bytes = 0
  #isAsking = false

  constructor(connection: Pick<Connection, 'flush'>) {
    this.#connection = connection
  }

  /** Counts what is published now. False where too much waits: it is not to be published. */
  add(bytes: number): boolean {
    if (this.#bytes > 0 && this.#bytes + bytes > MAX_UNSENT_BYTES) return false
    this.#bytes += bytes
    if (!this.#isAsking) void this.#ask()
    return true
  }

  /** The server answers once it has had all that came before. */
  async #ask(): Promise<void> {
    this.#isAsking = true
    while (this.#bytes > 0) {
      // What is published in this turn goes out before the question.
      await Promise.resolve()
      const asked = this.#bytes
      try {
        await this.#connection.flush()
        this.#bytes -= asked
      } catch {
        // With the connection, all of it is lost.
        this.#bytes = 0
      }
    }
    this.#isAsking = false
  }
}

export interface EventsDeps extends Identity {
  hub: Pick<Hub, 'onEmit' | 'deliver'>
  connection: Connection
  faults: Faults
}

/** Bytes of a message beside its events: what seals it, and joins them. */
const BESIDE_BYTES = 512

/** Begins to carry events, both ways. */
export function carryEvents({ hub, connection, faults, ...identity }: EventsDeps): void {
  const subject = eventsSubject(identity.bus)
  const broadcast = createBroadcast({ ...identity, subject })
  const unsent = new PublishWindow(connection)
  const fault = (error: BusError): void => faults.tell(NOBODY, error)
  const batch = new EventBatch(send)

  function publish(target: EventTarget | undefined, event: string, payload: unknown): void {
    if (!connection.isUp) return
    const most = connection.maxPayload - BESIDE_BYTES
    if (batch.add({ target: target ?? null, event, payload }, most)) return
    const over = `it is over the ${most} bytes that the server lets through`
    fault(new BusError('Overloaded', `The event ${event} did not go to the other instances: ${over}`))
  }

  function send(body: Uint8Array, count: number): void {
    if (!connection.isUp) return
    const message = broadcast.seal(body)
    const lost = `${count} events did not go to the other instances`
    if (!unsent.add(message.byteLength)) {
      return fault(new BusError('Overloaded', `${lost}: the server takes them more slowly than they come`))
    }
    // Whoever has emitted them is no longer there to be told.
    try {
      connection.publish(subject, message)
    } catch (cause) {
      fault(new BusError('Disconnected', `${lost}: the connection is closed`, { cause }))
    }
  }

  function take(message: Uint8Array): void {
    const opened = broadcast.open(message)
    if (!opened) return fault(new BusError('InvalidRequest', 'What came as an event is forged, or was played again'))
    try {
      for (const event of readEvents(opened.plain)) deliver(opened.instance, event)
    } catch (cause) {
      fault(new BusError('InvalidRequest', `What ${opened.instance} sent as events can’t be read`, { cause }))
    }
  }

  function deliver(instance: string, { target, event, payload }: SentEvent): void {
    try {
      hub.deliver(target == null ? undefined : toEventTarget(target), event, payload)
    } catch (cause) {
      fault(new BusError('InvalidRequest', `An event of ${instance} could not be delivered`, { cause }))
    }
  }

  hub.onEmit(publish)
  connection.subscribe(subject, ({ data }) => take(data))
}
