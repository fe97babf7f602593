// The receiving end of a stream: its messages wait here, in order, until they are read. The sender asks for credit now and then, and gets it
// once the messages before were read: a slow reader makes it wait. A sender that is not trusted is held to that.
//
//   for await (const { percent } of new ReceivedStream(receiver)) …
import { IS_NODE } from '#platform'
import { BusError } from '../errors/bus-error.js'
import type { ChannelParams } from '../wire/messages.js'
import { isBytes } from '../util/type-guards.js'
import { CHANNEL_MESSAGE_COST, MAX_STREAM_UNREAD, STREAM_WINDOW } from '../wire/limits.js'
import type { CallProgress } from './call-options.js'

/** The connection to the sender. */
export interface StreamPeer {
  credit(bytes: number): void
  /** Notifies the sender that its messages are not read any more. */
  close(): void
  /** No more messages are expected. */
  forget(): void
  /** Returns whether the sender, which is not trusted, may have so much unread. @param isGranted - false if it has got no credit yet */
  readonly check?: ((unread: readonly (readonly unknown[] | number)[], isGranted: boolean) => boolean) | undefined
}

type Result<T> = IteratorResult<T, undefined>
interface Waiting<T> {
  resolve(result: Result<T>): void
  reject(error: BusError): void
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

export class StreamReceiver<T = unknown> {
  /** Called when messages or the end have arrived that no `next` has waited for. */
  arrived: (() => void) | undefined
  #peer: StreamPeer | undefined
  /** Batches of unread messages. Between them, bytes to credit once the messages before were read. The first entry is a batch. */
  #unread: (readonly T[] | number)[] = []
  #next = 0
  readonly #waiting: Waiting<T>[] = []
  #isAwaited = false
  #hasEnded = false
  #error: BusError | undefined
  /** The error is that of each `next`, and not of one alone. */
  #hasFailed = false
  readonly #whenOver: (() => void)[] = []
  /** The deadlines of calls that each message extends: see `watchReceiver`. */
  declare watchers: Set<CallProgress> | undefined

  /** @param isLazy - true if the sender waits for credit until the first message is read */
  open(peer: StreamPeer, isLazy = false): void {
    this.#peer = peer
    this.#isAwaited = isLazy
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  get hasMessages(): boolean {
    return this.#unread.length > 0
  }

  /** Calls `done` once nothing more arrives, and all that has arrived was read. */
  whenOver(done: () => void): void {
    this.#whenOver.push(done)
    this.#settle()
  }

  receive(params: ChannelParams): void {
    if (this.#hasEnded) return
    if (IS_NODE && this.watchers) for (const progress of this.watchers) progress.record()
    if ('end' in params || 'error' in params) return this.finish()
    const entry = 'credit' in params ? params.credit : 'messages' in params ? params.messages : [params.message]
    this.#unread.push(entry as T[] | number)
    const check = IS_NODE ? this.#peer?.check : undefined
    if (check && !check(this.#unread, !this.#isAwaited)) return this.drop()
    this.#credit()
    this.#settle()
    this.arrived?.()
  }

  next(): Promise<Result<T>> {
    if (this.#isAwaited) {
      this.#isAwaited = false
      this.#giveCredit(STREAM_WINDOW)
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#settle()
    })
  }

  /** Takes the first unread message. There must be one. */
  take(): T {
    const batch = this.#unread[0] as readonly T[]
    const message = batch[this.#next++] as T
    if (this.#next === batch.length) {
      this.#next = 0
      this.#unread.shift()
      this.#credit()
      if (this.#hasEnded) this.#settle()
    }
    return message
  }

  /** Nothing more arrives. What has arrived can still be read, before the error. */
  finish(error?: BusError): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#error ??= error
    this.#peer?.forget()
    this.#settle()
    this.arrived?.()
  }

  /** Nothing more is wanted, and the sender is notified. What has arrived can still be read. */
  leave(): void {
    if (this.#hasEnded) return
    this.finish()
    this.#peer?.close()
  }

  /** Each `next` rejects from now on, unless all was read before. */
  fail(error: BusError = new BusError('Disconnected', 'The call that passed the stream has ended')): void {
    if (this.#hasEnded && !this.hasMessages) return
    this.#hasFailed = true
    this.#error = error
    this.drop()
    this.leave()
  }

  close(): void {
    this.#error = undefined
    this.drop()
    this.leave()
  }

  drop(): void {
    this.#unread = []
    this.#next = 0
    this.#settle()
  }

  #settle(): void {
    while (this.#waiting.length > 0 && this.hasMessages) {
      this.#waiting.shift()!.resolve({ done: false, value: this.take() })
    }
    if (!this.#hasEnded || this.hasMessages) return
    for (const done of this.#whenOver.splice(0)) done()
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (this.#error) reject(this.#error)
      else resolve(DONE)
      if (!this.#hasFailed) this.#error = undefined
    }
  }

  #credit(): void {
    while (typeof this.#unread[0] === 'number') this.#giveCredit(this.#unread.shift() as number)
  }

  #giveCredit(bytes: number): void {
    if (!this.#hasEnded) this.#peer?.credit(bytes)
  }
}

/** Lets messages extend the deadline of a call. While the reader has not read what has arrived, the time stands still. Not a method: pages leave it out. */
export function watchReceiver(stream: StreamReceiver, progress: CallProgress): void {
  stream.watchers ??= new Set()
  stream.watchers.add(progress)
  progress.addReader(() => stream.hasMessages)
  progress.onEnd(() => stream.watchers!.delete(progress))
}

/** A stream as its reader gets it: an argument of a function, or its result. */
export class ReceivedStream implements AsyncIterableIterator<unknown, undefined, undefined> {
  readonly #receiver: StreamReceiver

  constructor(receiver: StreamReceiver) {
    this.#receiver = receiver
  }

  /** Static, so that handlers do not find it on the iterator. */
  static getReceiver(stream: ReceivedStream): StreamReceiver {
    return stream.#receiver
  }

  next(): Promise<Result<unknown>> {
    return this.#receiver.next()
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#receiver.close()
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

type Unread = readonly (readonly unknown[] | number)[]

/** More than an honest sender has unread, with a request for credit after each message. */
const MAX_ENTRIES = MAX_STREAM_UNREAD / CHANNEL_MESSAGE_COST

/**
 * Holds the senders of one connection, which are not trusted, to their credit: what they send beyond it would wait in this thread unread.
 *
 * @returns the function that is called with the unread messages of one stream after each message: see `StreamPeer.check`
 */
export function createGuard(
  getReceivedBytes: () => number,
  violated: (error: BusError) => void,
): (unread: Unread, isGranted: boolean) => boolean {
  const sizes = new WeakMap<readonly unknown[], number>()
  let measureAt = getReceivedBytes() + MAX_STREAM_UNREAD
  const measure = (batch: readonly unknown[]): number => {
    const size = sizes.get(batch) ?? getLeastSize(batch, MAX_STREAM_UNREAD)
    sizes.set(batch, size)
    return size
  }
  return (unread, isGranted) => {
    let isOver = unread.length > (isGranted ? MAX_ENTRIES : 0)
    const receivedBytes = getReceivedBytes()
    if (!isOver && receivedBytes >= measureAt) {
      const batches = unread.filter(entry => typeof entry !== 'number')
      // The window can be exceeded by the last message, and that by what a hook has added.
      const [, , ...others] = batches.map(measure).sort((a, b) => b - a)
      const size = others.reduce((sum, bytes) => sum + bytes, 0)
      measureAt = receivedBytes + MAX_STREAM_UNREAD - size
      isOver = size >= MAX_STREAM_UNREAD
    }
    if (!isOver) return true
    const text = `The peer violated the protocol: more than ${STREAM_WINDOW} bytes of a stream are unread`
    violated(new BusError('InvalidRequest', text))
    return false
  }
}

/** Returns a lower bound of the encoded size of a decoded value, in any codec. Stops counting at `enough`. */
export function getLeastSize(value: unknown, enough: number): number {
  let size = 0
  const nodes = [value]
  while (nodes.length > 0 && size < enough) {
    const node = nodes.pop()
    if (typeof node === 'string') size += node.length
    else if (isBytes(node)) size += node.byteLength
    else if (Array.isArray(node)) for (const member of node as unknown[]) nodes.push(member)
    else if (typeof node === 'object' && node !== null) {
      for (const [name, member] of Object.entries(node)) {
        size += name.length
        nodes.push(member)
      }
    }
    // Every node takes a byte.
    size++
  }
  return size
}
