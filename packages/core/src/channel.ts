// The sending end of a channel. It keeps order, and makes `send` wait while the frontend is behind.
import { BusError, CHANNEL_WINDOW, type ChannelParams } from '@sallyport/protocol'

/** An ordered stream to the frontend that passed the channel as an argument. */
export interface Channel<T = unknown> {
  readonly id: number
  /**
   * Sends a message; resolves when there is room for the next. At most 256 messages are under way at a time.
   *
   * @throws BusError `Disconnected` when the channel has ended or its frontend is gone; `InvalidParams` for a value that
   * can't be carried.
   */
  send(message: T): Promise<void>
  /** Ends the stream, after all that was sent. The frontend's iterators finish. */
  end(): void
}

interface Waiting {
  message: unknown
  resolve(): void
  reject(error: BusError): void
}

export class SendingChannel implements Channel {
  readonly id: number
  readonly #post: (params: ChannelParams) => void
  readonly #forget: () => void
  #waiting: Waiting[] = []
  #room: number = CHANNEL_WINDOW
  #index = 0
  #ended: BusError | undefined
  #ending = false

  constructor(id: number, post: (params: ChannelParams) => void, forget: () => void) {
    this.id = id
    this.#post = post
    this.#forget = forget
  }

  send(message: unknown): Promise<void> {
    const sent = this.#send(message)
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
      const { message, resolve, reject } = this.#waiting.shift()!
      try {
        this.#put(message)
        resolve()
      } catch (error) {
        reject(error as BusError)
      }
    }
    if (this.#ending && this.#waiting.length === 0) this.#finish()
  }

  /** Nobody receives any more: nothing more is sent. */
  abandon(why: string): void {
    this.#ended ??= disconnected(why)
    this.#forget()
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended)
  }

  async #send(message: unknown): Promise<void> {
    if (this.#ended || this.#ending) throw this.#ended ?? disconnected(`Channel ${this.id} has ended`)
    if (this.#room > 0) return this.#put(message)
    return new Promise((resolve, reject) => this.#waiting.push({ message, resolve, reject }))
  }

  #put(message: unknown): void {
    this.#post({ channel: this.id, index: this.#index, message })
    this.#index++
    this.#room--
  }

  #finish(): void {
    if (this.#ended) return
    this.#ended = disconnected(`Channel ${this.id} has ended`)
    this.#forget()
    this.#post({ channel: this.id, index: this.#index, end: true })
  }
}

const disconnected = (why: string): BusError => new BusError('Disconnected', why, { data: { delivered: 'no' } })
