// What comes in to a client, and whose it is: a call's that waits, a listener's, a channel's, or a call of what is exposed.
// Core is trusted not to be hostile, but not to be without bugs: what is none of these is dropped.
import {
  BatchReader,
  BusError,
  METHOD,
  idOf,
  isResponse,
  type ChannelParams,
  type CodecName,
  type EventParams,
  type Link,
  type Pending,
  type ReceivedFrame,
  type RequestId,
  type RequestMessage,
} from '@sallyport/protocol'
import type { Exposed } from './exposed.js'
import type { Listeners } from './listeners.js'
import type { OpenChannels } from './open-channels.js'
import { eventsReceived } from './tracing.js'

export interface IncomingParts {
  label: string
  codec: CodecName
  link: Link
  pending: Pending
  listeners: Listeners
  channels: OpenChannels
  exposed: Exposed
}

export class Incoming {
  readonly #parts: IncomingParts
  readonly #reader = new BatchReader(true)
  /** What was wrong with the last frame, or what core or the gate said was wrong with one of this side. */
  fault: BusError | undefined

  constructor(parts: IncomingParts) {
    this.#parts = parts
  }

  receive({ kind, body }: ReceivedFrame): void {
    this.fault = undefined
    try {
      for (const message of this.#reader.read(kind, body)) this.#take(message)
    } catch (error) {
      // As everywhere, a bad frame closes the session. It must not end the thread, which may be the host's.
      this.fault = error as BusError
      this.#parts.link.close()
    }
  }

  #take(message: unknown): void {
    const { pending, listeners, channels, exposed } = this.#parts
    if (isResponse(message)) {
      if ('error' in message && message.id === null) this.fault = new BusError('InvalidRequest', message.error.message)
      return void pending.settle(message)
    }
    const { id, method, params } = (message ?? {}) as Partial<RequestMessage>
    if (typeof method !== 'string') return
    // An answer carries the id back, at once or later: one that is none must not reach it.
    if (id !== undefined) return idOf(message) === null ? undefined : exposed.take(message as RequestMessage)
    if (typeof params !== 'object' || params === null) return
    if (method === METHOD.event) {
      if (eventsReceived.hasSubscribers) this.#tell(params as EventParams)
      listeners.dispatch(params as EventParams)
    } else if (method === METHOD.channel) channels.receive(params as ChannelParams)
    else if (method === METHOD.cancel) exposed.cancel((params as { id: RequestId }).id)
  }

  /** Of each event of a run. */
  #tell({ event, ...params }: EventParams): void {
    const { label, codec } = this.#parts
    const count = 'payloads' in params && Array.isArray(params.payloads) ? params.payloads.length : 1
    for (let told = 0; told < count; told++) eventsReceived.publish({ label, event, codec })
  }
}
