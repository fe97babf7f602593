// The receiving end of an ordered stream from core. It is passed to a command as an argument, where it arrives as the
// sending end; what has been taken is credited back, so that a slow receiver makes the sender wait.
import { CHANNEL_WINDOW, channelReference, type ChannelParams } from '@sallyport/protocol'
import { throwLater } from './events.js'

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
  #id = ++lastId
  #onmessage: ((message: T) => void) | undefined
  #home: ChannelHome | undefined
  #waiting: T[] = []
  #taken = 0
  #ended = false
  #sleeping: (() => void)[] = []

  constructor(onmessage?: (message: T) => void) {
    this.#onmessage = onmessage
  }

  /** Called with each message, in order. Messages that come while it is unset wait for it, or for an iterator. */
  get onmessage(): ((message: T) => void) | undefined {
    return this.#onmessage
  }

  set onmessage(handler: ((message: T) => void) | undefined) {
    this.#onmessage = handler
    this.#handOver()
  }

  /** Called once the channel has ended, after its last message was taken by `onmessage`. */
  onend: (() => void) | undefined

  get id(): number {
    return this.#id
  }

  /** Tauri's form of a channel as an argument. */
  toJSON(): string {
    return channelReference(this.id)
  }

  /** Ends at the channel's end, or when it is passed to another call after that. Leaving the loop early leaves it open. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const id = this.#id
    while (this.#id === id) {
      while (this.#id === id && this.#waiting.length > 0) {
        const message = this.#waiting.shift() as T
        this.#credit()
        yield message
      }
      if (this.#ended) return
      await new Promise<void>(resolve => this.#sleeping.push(resolve))
    }
  }

  /** @internal */
  bind(home: ChannelHome): void {
    this.#home = home
  }

  /**
   * @internal The id to pass on. One that has ended may be passed again: as a new one. What of the call before was not read,
   * or is still on its way, is not for its new call.
   */
  renew(): number {
    if (this.#ended) {
      this.#id = ++lastId
      this.#waiting = []
      this.#taken = 0
      this.#ended = false
      this.#wakeUp()
    }
    return this.#id
  }

  /** @internal */
  receive(params: ChannelParams): void {
    if ('end' in params) return this.finish()
    if (!('messages' in params)) this.#receive(params.message as T)
    else if (Array.isArray(params.messages)) for (const message of params.messages) this.#receive(message as T)
    this.#wakeUp()
  }

  /** @internal */
  finish(): void {
    if (this.#ended) return
    this.#ended = true
    this.#home?.forget(this.id)
    this.#wakeUp()
    this.#tellEnd()
  }

  #receive(message: T): void {
    if (this.#onmessage && this.#waiting.length === 0) this.#hand(message)
    else this.#waiting.push(message)
  }

  #handOver(): void {
    const waited = this.#waiting.length > 0
    while (this.#onmessage && this.#waiting.length > 0) this.#hand(this.#waiting.shift() as T)
    if (waited) this.#tellEnd()
  }

  #tellEnd(): void {
    if (!this.#ended || this.#waiting.length > 0 || !this.onend) return
    try {
      this.onend()
    } catch (error) {
      throwLater(error)
    }
  }

  #hand(message: T): void {
    this.#credit()
    try {
      this.#onmessage!(message)
    } catch (error) {
      throwLater(error)
    }
  }

  #wakeUp(): void {
    if (this.#sleeping.length > 0) for (const wake of this.#sleeping.splice(0)) wake()
  }

  #credit(): void {
    if (++this.#taken < CREDIT_EVERY || this.#ended) return
    this.#home?.credit(this.id, this.#taken)
    this.#taken = 0
  }
}
