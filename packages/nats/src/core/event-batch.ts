// Events of one turn, gathered into messages: to seal and to send one costs more than to route a dozen events.
import { codecs, type EventTarget } from '@sallyport/protocol'

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
