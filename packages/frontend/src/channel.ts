// The receiving end of an ordered stream from core. It is passed to a command as an argument, where it arrives as the
// sending end; what has been taken is credited back, so that a slow receiver makes the sender wait.
import { CHANNEL_WINDOW, channelReference, type ChannelParams } from '@sallyport/protocol'

/** What a channel needs of its client. */
export interface ChannelHome {
  credit(channel: number, messages: number): void
  forget(channel: number): void
}

const CREDIT_EVERY: number = CHANNEL_WINDOW / 4

let lastId = 0

/**
 * @example
 * const progress = new Channel<{ percent: number }>((message) => console.log(message.percent))
 * await invoke('download', { url, progress })
 * // or: for await (const message of progress) …, which ends with the channel
 */
export class Channel<T = unknown> implements AsyncIterable<T> {
  readonly id: number = ++lastId
  /** Called with each message, in order. Messages that come while it is unset wait for it, or for an iterator. */
  onmessage: ((message: T) => void) | undefined
  #home: ChannelHome | undefined
  #waiting: T[] = []
  #taken = 0
  #ended = false
  #wake: (() => void) | undefined

  constructor(onmessage?: (message: T) => void) {
    this.onmessage = onmessage
  }

  /** Tauri's form of a channel as an argument. */
  toJSON(): string {
    return channelReference(this.id)
  }

  /** Ends at the channel's end. Leaving the loop early leaves the channel open. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    while (true) {
      while (this.#waiting.length > 0) {
        const message = this.#waiting.shift() as T
        this.#credit()
        yield message
      }
      if (this.#ended) return
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }

  /** @internal */
  bind(home: ChannelHome): void {
    this.#home = home
  }

  /** @internal */
  receive(params: ChannelParams): void {
    if ('end' in params) return this.finish()
    if (this.onmessage) {
      this.#credit()
      this.onmessage(params.message as T)
    } else {
      this.#waiting.push(params.message as T)
      this.#wakeUp()
    }
  }

  /** @internal */
  finish(): void {
    this.#ended = true
    this.#home?.forget(this.id)
    this.#wakeUp()
  }

  #wakeUp(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  #credit(): void {
    if (++this.#taken < CREDIT_EVERY || this.#ended) return
    this.#home?.credit(this.id, this.#taken)
    this.#taken = 0
  }
}
