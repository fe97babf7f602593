// The receiving end of an ordered stream from core. It is passed to a command as an argument, where it arrives as the
// sending end; what has been taken is credited back, so that a slow receiver makes the sender wait. Whoever closes it, or
// leaves a loop over it, ends it for core too.
import { throwLater, CHANNEL_WINDOW, type ChannelParams, channelReference, METHOD } from '@sallyport/protocol'

/** What a channel needs of its client. */
export interface ChannelOwner {
  credit(channel: number, messages: number): void
  /** Tells core that nobody takes its messages any more. */
  close(channel: number): void
  forget(channel: number): void
}

const CREDIT_EVERY: number = CHANNEL_WINDOW / 4

let lastId = 0

/**
 * @example
 * const progress = new Channel<{ percent: number }>((message) => console.log(message.percent))
 * await invoke('download', { url, progress })
 * // or: for await (const message of progress) …, which ends with the channel; leaving the loop closes the channel
 */
export class Channel<T = unknown> implements AsyncIterable<T> {
  #id = ++lastId
  #onmessage: ((message: T) => void) | undefined
  #home: ChannelOwner | undefined
  #waiting: T[] = []
  #taken = 0
  #ended = false
  #sleeping: (() => void)[] = []

  constructor(onmessage?: (message: T) => void) {
    this.#onmessage = onmessage
  }

  /** @internal With an id that no other has: those given here stay below 2^31. */
  static withId(id: number): Channel {
    const channel = new Channel()
    channel.#id = id
    return channel
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

  /**
   * Takes no more messages: what was not read is dropped, loops over it finish, and core is told, where `send` rejects with
   * `Disconnected` from then on. It may be passed to another call after that.
   */
  close(): void {
    const unread = this.#waiting.splice(0)
    if (this.#ended) return unread.length > 0 ? this.#tellEnd() : undefined
    const [home, id] = [this.#home, this.#id]
    this.finish()
    home?.close(id)
  }

  /** Ends at the channel's end, or when it is passed to another call after that. Leaving the loop early closes it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, void, undefined> {
    /** Of the channel when the first message was asked for. */
    let id: number | undefined
    let left = false
    // No generator: one that waits for a message can't be left before it has come.
    const iterator: AsyncIterableIterator<T, void, undefined> = {
      next: async () => {
        id ??= this.#id
        while (!left && this.#id === id) {
          if (this.#waiting.length > 0) {
            const value = this.#waiting.shift() as T
            this.#credit()
            return { done: false, value }
          }
          if (this.#ended) break
          await new Promise<void>(resolve => this.#sleeping.push(resolve))
        }
        return { done: true, value: undefined }
      },
      return: async () => {
        left = true
        if (this.#id === id) this.close()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  /** @internal No method of the channel, which whoever made it may replace: its home is not theirs to see. */
  static bind(channel: Channel, home: ChannelOwner): void {
    channel.#home = home
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
    const id = this.#id
    const messages: unknown = 'messages' in params ? params.messages : [params.message]
    // The handler of one may close the channel, and even pass it on again.
    if (Array.isArray(messages))
      for (const message of messages as T[]) if (!this.#ended && this.#id === id) this.#receive(message)
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

// The channels that a client has passed to calls and that have not ended: by their ids, as core speaks of them.

export class OpenChannels {
  readonly #open = new Map<number, Channel>()
  readonly #home: ChannelOwner

  readonly #tell: (method: string, params: object, after?: number) => void

  /** @param tell sends a notification of the bus's own: `after` this call, where that still waits */
  constructor(tell: (method: string, params: object, after?: number) => void) {
    this.#tell = tell
    this.#home = {
      credit: (channel, messages) => tell(METHOD.credit, { channel, messages }),
      close: channel => tell(METHOD.closeChannel, { channel }),
      forget: channel => void this.#open.delete(channel),
    }
  }

  /** @param call that opens it in core: it can't be closed there before */
  adopt(channel: Channel, call: number): void {
    this.#open.set(channel.id, channel)
    const close = (id: number): void => this.#tell(METHOD.closeChannel, { channel: id }, call)
    Channel.bind(channel, { ...this.#home, close })
  }

  /** A channel is the call's that it came with first: with that call it ends, where the call fails. */
  unused(channels: readonly Channel[]): Channel[] {
    return channels.filter(({ id }) => !this.#open.has(id))
  }

  /**
   * What comes for a channel that has ended is dropped. Where a handler begins with one, it was passed on while core's end of
   * it was on its way here: that handler must not wait for a reader that it will never have.
   */
  receive(params: ChannelParams): void {
    const channel = this.#open.get(params.channel)
    if (channel) channel.receive(params)
    else if (params.index === 0 && !('end' in params)) this.#home.close(params.channel)
  }

  /** The link is gone. */
  finishAll(): void {
    finish([...this.#open.values()])
  }
}

/** Core ends the channels of a call that failed, or never had them. */
export function finish(channels: readonly Channel[]): void {
  for (const channel of channels) channel.finish()
}
