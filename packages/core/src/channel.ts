// The sending end of a channel. It keeps order, and makes `send` wait while the frontend is behind.
import { BusError, CHANNEL_WINDOW, takeBytes } from '@sallyport/protocol'
import type { EncodedReply, Replies } from './replies.js'

/** An ordered stream to the frontend that passed the channel as an argument. */
export interface Channel<T = unknown> {
  readonly id: number
  /**
   * Sends a message, as it is now; resolves when there is room for the next. At most 256 messages are under way at a time.
   *
   * @param options.transfer buffers to give away rather than copy: each that of the whole message, or of a top-level member
   * @throws BusError `Disconnected` when the channel has ended or its frontend is gone; `InvalidParams` for a value that
   * can't be carried.
   */
  send(message: T, options?: { transfer?: readonly ArrayBufferLike[] }): Promise<void>
  /** Ends the stream, after all that was sent. The frontend's iterators finish. */
  end(): void
}

/** What a channel needs of its frontend's session. */
export type ChannelSender = Pick<Replies, 'encode' | 'put'>

interface Waiting {
  encoded: EncodedReply
  resolve(): void
  reject(error: BusError): void
}

export class SendingChannel implements Channel {
  readonly id: number
  readonly #sender: ChannelSender
  readonly #forget: () => void
  #waiting: Waiting[] = []
  #room: number = CHANNEL_WINDOW
  #index = 0
  #ended: BusError | undefined
  #ending = false

  constructor(id: number, sender: ChannelSender, forget: () => void) {
    this.id = id
    this.#sender = sender
    this.#forget = forget
  }

  send(message: unknown, options: { transfer?: readonly ArrayBufferLike[] } = {}): Promise<void> {
    const sent = this.#send(message, options.transfer)
    // A send that nobody awaits must not end core when the frontend goes away.
    sent.catch(() => {})
    return sent
  }

  end(): void {
    this.#ending = true
    if (this.#waiting.length === 0) this.#finish()
  }

  /** The frontend has taken that many messages. */
  credit(messages: number): void {
    this.#room = Math.min(CHANNEL_WINDOW, this.#room + messages)
    while (this.#room > 0 && this.#waiting.length > 0) {
      const { encoded, resolve } = this.#waiting.shift()!
      this.#put(encoded)
      resolve()
    }
    if (this.#ending && this.#waiting.length === 0) this.#finish()
  }

  /** Nobody receives any more: nothing more is sent. */
  abandon(why: string): void {
    this.#ended ??= disconnected(why)
    this.#forget()
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended)
  }

  async #send(message: unknown, transfer: readonly ArrayBufferLike[] | undefined): Promise<void> {
    if (this.#ended || this.#ending) throw this.#ended ?? disconnected(`Channel ${this.id} has ended`)
    const encoded = this.#sender.encode({ channel: this.id, index: this.#index, message }, transfer)
    this.#index++
    if (this.#room > 0) return this.#put(encoded)
    // What is given away is gone for its sender when `send` returns, not when its turn comes.
    encoded.attachments = encoded.attachments?.map(takeBytes)
    return new Promise((resolve, reject) => this.#waiting.push({ encoded, resolve, reject }))
  }

  #put(encoded: EncodedReply): void {
    this.#sender.put(encoded)
    this.#room--
  }

  #finish(): void {
    if (this.#ended) return
    this.#ended = disconnected(`Channel ${this.id} has ended`)
    this.#forget()
    this.#sender.put(this.#sender.encode({ channel: this.id, index: this.#index, end: true }))
  }
}

const disconnected = (why: string): BusError => new BusError('Disconnected', why, { data: { delivered: 'no' } })
