// The receiving end of an ordered stream of messages from core. A channel is passed to a command as an argument, and arrives there
// as the sending end. Messages that were read are credited to the sender, so a slow reader makes the sender wait.
import {
  CHANNEL_WINDOW,
  type ChannelParams,
  toChannelReference,
  METHOD,
  throwLater,
} from '@sallyport/protocol/internal'
import { CLIENT } from './client-symbol.js'

/** The connection over which a channel is open. */
export interface ChannelOwner {
  credit(channel: number, messages: number): void
  /** Notifies core that the channel's messages are not read any more. */
  close(channel: number): void
  forget(channel: number): void
}

const CREDIT_EVERY: number = CHANNEL_WINDOW / 4

let lastId = 0

/**
 * An ordered stream of messages from core. Pass a channel as an argument of a call: the handler sends on it.
 *
 * @example
 * const progress = new Channel<{ percent: number }>((message) => console.log(message.percent))
 * await invoke('download', { url, progress })
 * // or: for await (const message of progress) …, which ends with the channel; leaving the loop closes the channel
 */
export class Channel<T = unknown> implements AsyncIterable<T> {
  #id = ++lastId
  #onmessage: ((message: T) => void) | undefined
  #owner: ChannelOwner | undefined
  #unread: T[] = []
  /** Messages read since the last credit was sent. */
  #read = 0
  #creditEvery = CREDIT_EVERY
  #hasEnded = false
  /** Wake up iterators that wait for a message. */
  #wakers: (() => void)[] = []

  /** @param onmessage - receives each message. Without it, iterate over the channel */
  constructor(onmessage?: (message: T) => void) {
    // A page, or an installation, can contain this package several times, and a client takes only channels of its own copy.
    const Current = (globalThis as { [CLIENT]?: { Channel: typeof Channel } })[CLIENT]?.Channel ?? Channel
    if (Current !== Channel && new.target === Channel) return new Current(onmessage)
    this.#onmessage = onmessage
  }

  /** @internal Creates a channel with an id that no other has. Ids made here stay below 2^31. */
  static withId(id: number): Channel {
    const channel = new Channel()
    channel.#id = id
    return channel
  }

  /** Called with each message, in order. While it is not set, messages wait for it, or for an iterator. */
  get onmessage(): ((message: T) => void) | undefined {
    return this.#onmessage
  }

  set onmessage(handler: ((message: T) => void) | undefined) {
    this.#onmessage = handler
    this.#deliverUnread()
  }

  /** Called once the channel has ended and `onmessage` has received its last message. */
  onend: (() => void) | undefined

  /** The number in `__CHANNEL__:<id>`. */
  get id(): number {
    return this.#id
  }

  /** Returns Tauri's representation of a channel as an argument. */
  toJSON(): string {
    return toChannelReference(this.id)
  }

  /**
   * Stops reading: drops unread messages, ends loops over the channel, and notifies core, where `send` rejects with
   * `Disconnected` from then on. The channel can be passed to another call afterwards.
   */
  close(): void {
    const unread = this.#unread.splice(0)
    if (this.#hasEnded) return unread.length > 0 ? this.#emitEnd() : undefined
    const [owner, id] = [this.#owner, this.#id]
    this.finish()
    owner?.close(id)
  }

  /** Ends when the channel ends, or is passed to another call after that. Leaving the loop early closes the channel. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, void, undefined> {
    /** The channel's id when the first message was requested. */
    let id: number | undefined
    let hasReturned = false
    // Not a generator: `return` of a generator that waits for a message would wait as well.
    const iterator: AsyncIterableIterator<T, void, undefined> = {
      next: async () => {
        id ??= this.#id
        while (!hasReturned && this.#id === id) {
          if (this.#unread.length > 0) {
            const value = this.#unread.shift() as T
            this.#credit()
            return { done: false, value }
          }
          if (this.#hasEnded) break
          await new Promise<void>(resolve => this.#wakers.push(resolve))
        }
        return { done: true, value: undefined }
      },
      return: async () => {
        hasReturned = true
        if (this.#id === id) this.close()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  /** @internal Sets the owner. A static method: scripts can replace a channel's own methods, and must not see the owner. */
  static bind(channel: Channel, owner: ChannelOwner): void {
    channel.#owner = owner
  }

  /**
   * @internal Returns the id to pass on. A channel that has ended gets a new id: messages of the call before that are unread,
   * or in flight, do not belong to the next call.
   */
  renew(): number {
    if (this.#hasEnded) {
      this.#id = ++lastId
      this.#unread = []
      this.#read = 0
      this.#creditEvery = CREDIT_EVERY
      this.#hasEnded = false
      this.#wakeIterators()
    }
    return this.#id
  }

  /** @internal */
  receive(params: ChannelParams): void {
    if ('end' in params) return this.finish()
    if ('creditEach' in params) {
      this.#creditEvery = 1
      return this.#sendCredit()
    }
    const id = this.#id
    const messages: unknown = 'messages' in params ? params.messages : [params.message]
    if (Array.isArray(messages)) {
      for (const message of messages as T[]) {
        // A handler can close the channel, and even pass it to another call.
        if (this.#hasEnded || this.#id !== id) break
        if (this.#onmessage && this.#unread.length === 0) this.#deliver(message)
        else this.#unread.push(message)
      }
    }
    this.#wakeIterators()
  }

  /** @internal */
  finish(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#owner?.forget(this.id)
    this.#wakeIterators()
    this.#emitEnd()
  }

  #deliverUnread(): void {
    const hadUnread = this.#unread.length > 0
    while (this.#onmessage && this.#unread.length > 0) this.#deliver(this.#unread.shift() as T)
    if (hadUnread) this.#emitEnd()
  }

  #deliver(message: T): void {
    this.#credit()
    try {
      this.#onmessage!(message)
    } catch (error) {
      throwLater(error)
    }
  }

  #emitEnd(): void {
    if (!this.#hasEnded || this.#unread.length > 0 || !this.onend) return
    try {
      this.onend()
    } catch (error) {
      throwLater(error)
    }
  }

  #wakeIterators(): void {
    if (this.#wakers.length > 0) for (const wake of this.#wakers.splice(0)) wake()
  }

  #credit(): void {
    this.#read++
    this.#sendCredit()
  }

  #sendCredit(): void {
    if (this.#read < this.#creditEvery || this.#hasEnded) return
    this.#owner?.credit(this.id, this.#read)
    this.#read = 0
  }
}

/** Sends a notification of the bus itself: right after the call `after` if that is still queued. */
type Notify = (method: string, params: object, after?: number) => void

/** The open channels of one connection, by id. */
export class OpenChannels {
  readonly #channels = new Map<number, Channel>()
  readonly #owner: ChannelOwner
  readonly #notify: Notify

  constructor(notify: Notify) {
    this.#notify = notify
    this.#owner = {
      credit: (channel, messages) => notify(METHOD.credit, { channel, messages }),
      close: channel => notify(METHOD.closeChannel, { channel }),
      forget: channel => void this.#channels.delete(channel),
    }
  }

  /** @param call - the id of the call that opens the channel in core: the channel cannot be closed before */
  open(channel: Channel, call: number): void {
    this.#channels.set(channel.id, channel)
    const close = (id: number): void => this.#notify(METHOD.closeChannel, { channel: id }, call)
    Channel.bind(channel, { ...this.#owner, close })
  }

  /** Returns the channels that no earlier call has opened. They belong to the next call, and end if it fails. */
  findUnopened(channels: readonly Channel[]): Channel[] {
    return channels.filter(({ id }) => !this.#channels.has(id))
  }

  /**
   * Messages for a channel that has ended are dropped. A first message means that a handler got the channel while its end
   * was in flight: the channel is closed, so that the handler does not wait for a reader forever.
   */
  receive(params: ChannelParams): void {
    const channel = this.#channels.get(params.channel)
    if (channel) channel.receive(params)
    else if ('index' in params && params.index === 0 && !('end' in params)) this.#owner.close(params.channel)
  }

  finishAll(): void {
    finishChannels([...this.#channels.values()])
  }
}

/** Ends channels of a call that has failed: core has ended them, or never had them. */
export function finishChannels(channels: readonly Channel[]): void {
  for (const channel of channels) channel.finish()
}
