// The receiving end of an ordered stream of messages from core. A channel is passed to a command as an argument, and arrives there
// as the sending end. The sender asks for credit now and then, and gets it once the messages before were read: a slow reader makes it wait.
import { refuseNestedChannel } from '@sallyport/protocol/internal/codec'
import { type ChannelParams, toChannelReference, METHOD } from '@sallyport/protocol/internal/message'
import { type AsyncContext, captureContext, throwLater } from '@sallyport/protocol/internal/util'
import { CLIENT } from './client-symbol.js'
import { IS_NODE_CLIENT } from '#node-features'

/** The connection over which a channel is open. */
export interface ChannelOwner {
  credit(channel: number, bytes: number): void
  /** Notifies core that the channel's messages are not read any more. */
  close(channel: number): void
  forget(channel: number): void
}

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
  /** That of `onmessage`. Not in pages. */
  #context: AsyncContext | undefined
  #owner: ChannelOwner | undefined
  /** Batches of unread messages. Between them, bytes to credit once the messages before were read. The first entry is a batch. */
  #unread: (readonly T[] | number)[] = []
  /** Index of the first unread message in its batch. */
  #next = 0
  #hasEnded = false
  #hasEmittedEnd = false
  /** Wake up iterators that wait for a message. */
  #wakers: (() => void)[] = []

  /** @param onmessage - receives each message. Without it, iterate over the channel */
  constructor(onmessage?: (message: T) => void) {
    // A page, or an installation, can contain this package several times, and a client takes only channels of its own copy.
    const Current = (globalThis as { [CLIENT]?: { Channel: typeof Channel } })[CLIENT]?.Channel ?? Channel
    if (Current !== Channel && new.target === Channel) return new Current(onmessage)
    this.#onmessage = onmessage
    if (IS_NODE_CLIENT) this.#context = captureContext()
  }

  /** @internal Creates a channel with an id that no other has. Ids made here stay below 2^31. */
  static withId(id: number): Channel {
    const channel = new Channel()
    channel.#id = id
    return channel
  }

  /** Called with each message, in order, in the async context in which it is set. Until then, messages wait for it, or for an iterator. */
  get onmessage(): ((message: T) => void) | undefined {
    return this.#onmessage
  }

  set onmessage(handler: ((message: T) => void) | undefined) {
    this.#onmessage = handler
    if (IS_NODE_CLIENT) this.#context = captureContext()
    this.#deliverUnread()
  }

  /** Called once the channel has ended and `onmessage` has received its last message, in the async context of `onmessage`. */
  onend: (() => void) | undefined

  /** The number in `__CHANNEL__:<id>`. */
  get id(): number {
    return this.#id
  }

  /**
   * Returns Tauri's representation of a channel as an argument.
   *
   * @throws {TypeError} within a message: a channel below the top level of the arguments, or in an event or a result, would arrive as this text
   */
  toJSON(): string {
    refuseNestedChannel(this)
    return toChannelReference(this.id)
  }

  /**
   * Stops reading: drops unread messages, ends loops over the channel, and notifies core, where `send` rejects with
   * `Disconnected` from then on. The channel can be passed to another call afterwards.
   */
  close(): void {
    this.#drop()
    if (this.#hasEnded) return this.#emitEnd()
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
          if (this.#unread.length > 0) return { done: false, value: this.#take() }
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
      this.#drop()
      this.#hasEnded = this.#hasEmittedEnd = false
      this.#wakeIterators()
    }
    return this.#id
  }

  /** @internal */
  receive(params: ChannelParams): void {
    if ('end' in params || this.#hasEnded) return this.finish()
    const entry = 'credit' in params ? params.credit : 'messages' in params ? params.messages : [params.message]
    if (!(Array.isArray(entry) ? entry.length : typeof entry === 'number')) return
    this.#unread.push(entry as T[] | number)
    this.#credit()
    this.#deliverUnread()
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
    while (this.#onmessage && this.#unread.length > 0) this.#call(this.#onmessage, this.#take())
    this.#emitEnd()
  }

  #call<Args extends unknown[]>(handler: (...args: Args) => void, ...args: Args): void {
    try {
      if (IS_NODE_CLIENT) this.#context!.runInAsyncScope(handler, this, ...args)
      else handler.apply(this, args)
    } catch (error) {
      throwLater(error)
    }
  }

  /** Takes the first unread message. */
  #take(): T {
    const batch = this.#unread[0] as readonly T[]
    const message = batch[this.#next++] as T
    if (this.#next === batch.length) {
      this.#next = 0
      this.#unread.shift()
      this.#credit()
    }
    return message
  }

  /** Sends the credit for messages that were read. */
  #credit(): void {
    while (typeof this.#unread[0] === 'number') {
      const bytes = this.#unread.shift() as number
      if (!this.#hasEnded) this.#owner?.credit(this.#id, bytes)
    }
  }

  #drop(): void {
    this.#unread = []
    this.#next = 0
  }

  #emitEnd(): void {
    if (!this.#hasEnded || this.#hasEmittedEnd || this.#unread.length > 0) return
    this.#hasEmittedEnd = true
    if (this.onend) this.#call(this.onend)
  }

  #wakeIterators(): void {
    if (this.#wakers.length > 0) for (const wake of this.#wakers.splice(0)) wake()
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
      credit: (channel, bytes) => notify(METHOD.credit, { channel, bytes }),
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
