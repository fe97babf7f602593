// What receives an ordered stream of messages from core: a channel, which is passed to a command as an argument and arrives there as the sending
// end, and a call whose handler returns an async iterable, whose values arrive on a channel of its own, followed by the response.
import { refuseNestedChannel } from '@sallyport/protocol/internal/codec'
import { withCaller } from '@sallyport/protocol/internal/errors'
import { toChannelReference } from '@sallyport/protocol/internal/message'
import { StreamReceiver } from '@sallyport/protocol/internal/rpc'
import { type AsyncContext, captureContext, HAS_CONTEXTS, throwLater } from '@sallyport/protocol/internal/util'

/** A registered symbol, under which a thread or a page has its client: it is found even by another copy of this package. */
export const CLIENT: unique symbol = Symbol.for('@sallyport/frontend:client')

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
  #context: AsyncContext | undefined
  #receiver = this.#createReceiver()
  #hasEmittedEnd = false

  /** @param onmessage - receives each message. Without it, iterate over the channel */
  constructor(onmessage?: (message: T) => void) {
    // A page, or an installation, can contain this package several times, and a client takes only channels of its own copy.
    const Current = (globalThis as { [CLIENT]?: { Channel: typeof Channel } })[CLIENT]?.Channel ?? Channel
    if (Current !== Channel && new.target === Channel) return new Current(onmessage)
    this.#onmessage = onmessage
    if (HAS_CONTEXTS) this.#context = captureContext()
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
    if (HAS_CONTEXTS) this.#context = captureContext()
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
    this.#receiver.close()
    this.#deliverUnread()
  }

  /** Ends when the channel ends, or is passed to another call after that. Leaving the loop early closes the channel. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, void, undefined> {
    /** That of the channel when the first message was requested. */
    let receiver: StreamReceiver<T> | undefined
    let hasReturned = false
    const iterator: AsyncIterableIterator<T, void, undefined> = {
      next: async () => {
        receiver ??= this.#receiver
        if (hasReturned) return { done: true, value: undefined }
        return receiver.next()
      },
      return: async () => {
        hasReturned = true
        if (this.#receiver === receiver) this.close()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  /** @internal A static method: scripts can replace a channel's own methods, and must not see the receiver. */
  static getReceiver(channel: Channel): StreamReceiver {
    return channel.#receiver
  }

  /**
   * @internal Returns the id to pass on. A channel that has ended gets a new id: messages of the call before that are unread,
   * or in flight, do not belong to the next call.
   */
  renew(): number {
    if (this.#receiver.hasEnded) {
      this.#id = ++lastId
      this.#receiver.drop()
      this.#receiver = this.#createReceiver()
      this.#hasEmittedEnd = false
    }
    return this.#id
  }

  /** @internal */
  finish(): void {
    this.#receiver.finish()
  }

  #createReceiver(): StreamReceiver<T> {
    const receiver = new StreamReceiver<T>()
    receiver.arrived = () => this.#receiver === receiver && this.#deliverUnread()
    return receiver
  }

  #deliverUnread(): void {
    const receiver = this.#receiver
    while (this.#onmessage && receiver.hasMessages) this.#call(this.#onmessage, receiver.take())
    if (!receiver.hasEnded || this.#hasEmittedEnd || receiver.hasMessages || this.#receiver !== receiver) return
    this.#hasEmittedEnd = true
    if (this.onend) this.#call(this.onend)
  }

  #call<Args extends unknown[]>(handler: (...args: Args) => void, ...args: Args): void {
    try {
      if (HAS_CONTEXTS) this.#context!.runInAsyncScope(handler, this, ...args)
      else handler.apply(this, args)
    } catch (error) {
      throwLater(error)
    }
  }
}

/** Makes the call. Returns a function that cancels it. */
export type BeginStream = (channel: Channel, resolve: () => void, reject: (error: unknown) => void) => () => void

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** One call, for one loop. The call is made when the first value is requested; leaving the loop cancels it. */
export class Stream<T = unknown> implements AsyncIterableIterator<T, void, undefined> {
  readonly #begin: BeginStream
  readonly #signal: AbortSignal | undefined
  readonly #channel = new Channel<T>()
  readonly #values = this.#channel[Symbol.asyncIterator]()
  #response: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #hasFailed = false
  #isOver = false

  /** @internal */
  constructor(begin: BeginStream, signal: AbortSignal | undefined) {
    this.#begin = begin
    this.#signal = signal
  }

  /** Returns the next value. @throws {BusError} of the call, once the values before it were read; immediately if the signal aborts */
  async next(): Promise<IteratorResult<T, void>> {
    if (this.#isOver) return DONE
    this.#response ??= this.#start()
    const result = this.#isAborted() ? DONE : await this.#values.next()
    if (this.#isOver) return DONE
    if (!result.done && !this.#isAborted()) return result
    this.#isOver = true
    await withCaller(this.#response)
    return DONE
  }

  /** Called by `break`. Does not wait for the handler: its `finally` runs once core has received the cancel. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#isOver = true
    this.#channel.finish()
    this.#cancel?.()
    return DONE
  }

  /** Returns the stream itself, which can be read once. */
  [Symbol.asyncIterator](): this {
    return this
  }

  /** Calls `return`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #start(): Promise<void> {
    const response = new Promise<void>((resolve, reject) => {
      this.#cancel = this.#begin(this.#channel as Channel, resolve, reject)
    })
    const finish = (): void => this.#channel.finish()
    response.then(finish, () => {
      this.#hasFailed = true
      finish()
    })
    return response
  }

  /** Unread values are dropped once the signal has aborted. */
  #isAborted(): boolean {
    return this.#hasFailed && this.#signal?.aborted === true
  }
}
