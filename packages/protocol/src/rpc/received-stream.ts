// A stream at its receiver: an argument of a call, or the result of an exposed function. Each `next` asks the source's side for one value.
// A result is read ahead: values are requested before the reader wants them, more of them while it has to wait.
import { BusError, isBusError } from '../errors/bus-error.js'
import type { CallProgress } from '../message/call-progress.js'
import { type RequestMessage, toStreamReference } from '../message/message.js'
import { MAX_STREAM_UNREAD, STREAM_READ_AHEAD } from '../wire/limits.js'
import { getLeastSize } from './least-size.js'

/** The connection to the side that has the source. */
export interface StreamCaller {
  /** False while so many requests wait that there should be no more of them than needed. */
  readonly canReadAhead?: boolean
  /** Requests the next value. @param ahead - values that the receiver awaits, or holds unread, with this one */
  pull(stream: number, signal: AbortSignal, ahead?: number): Promise<unknown>
  /** Notifies the other side that no more values are read. */
  stop(stream: number): void
  /** Bytes that have arrived from the other side so far, by which a caller that reads ahead has it held to its credit. */
  readonly receivedBytes?: number
  /** Ends the other side, which has sent more than it may. */
  violated?(error: BusError): void
}

/** The `data` of the error that answers a pull when the source is done. An answer is the value itself, so that bytes stay bytes. */
const DONE_DATA = { done: true }

/** Creates the answer to a pull of a stream that is done. */
export const createStreamEnd = (): BusError => new BusError('Cancelled', 'The stream has ended', { data: DONE_DATA })

const isStreamEnd = (error: unknown): boolean =>
  isBusError(error, 'Cancelled') && (error.data as typeof DONE_DATA | undefined)?.done === true

/** Replaces the references of declared streams among the arguments of a call. */
export function receiveStreams({ channels, params }: RequestMessage, caller: StreamCaller): void {
  const args = params as Record<string, unknown>
  for (const [name, id] of Object.entries(channels ?? {})) {
    if (args[name] === toStreamReference(id)) args[name] = new ReceivedStream(id, caller)
  }
}

/** Ends the streams among the arguments of a call that is over. */
export function endStreams(args: unknown, reason?: BusError): void {
  if (typeof args !== 'object' || args === null) return
  for (const value of Object.values(args)) if (value instanceof ReceivedStream) ReceivedStream.end(value, reason)
}

interface Request {
  readonly value: Promise<unknown>
  /** `StreamCaller.receivedBytes` when the value was requested. */
  readonly bytesBefore: number
  isAnswered: boolean
  /** The reader has the value, or waits for it. */
  isTaken: boolean
  /** The value, while it is unread, and its least size once that is known. */
  result: unknown
  size: number | undefined
}

export class ReceivedStream implements AsyncIterableIterator<unknown, undefined, undefined> {
  readonly #id: number
  readonly #caller: StreamCaller
  readonly #whenOver: (() => void)[] = []
  readonly #controller = new AbortController()
  #isOver = false
  /** Settles with the last `next`, if that waits: the caller answers one request at a time. */
  #pending: Promise<unknown> | undefined
  readonly #maxRequests: number
  /** The values that were requested ahead, in order. */
  readonly #ahead: Request[] = []
  /** How many of these have been answered. */
  #unread = 0
  /** How many values are requested at a time; 0 before the first one. */
  #depth = 0
  /** The reason if the call ended before the stream. */
  #failure: BusError | undefined
  #progress: CallProgress | undefined

  /** @param maxRequests - values to request before they are read */
  constructor(id: number, caller: StreamCaller, maxRequests = 1) {
    this.#id = id
    this.#caller = caller
    this.#maxRequests = maxRequests
  }

  /** Ends a stream whose call is over. Static, so that handlers do not find it on the iterator. */
  static end(stream: ReceivedStream, reason?: BusError): void {
    if (stream.#isOver) return
    stream.#failure = reason ?? new BusError('Disconnected', 'The call that passed the stream has ended')
    stream.#finish()
  }

  /** Calls `done` once the stream is over. */
  static whenOver(stream: ReceivedStream, done: () => void): void {
    if (stream.#isOver) done()
    else stream.#whenOver.push(done)
  }

  /** Lets each value extend the idle deadline of the stream's call. The time between two reads does not count. */
  static watch(stream: ReceivedStream, progress: CallProgress): void {
    stream.#progress = progress
    progress.addReader(() => !stream.#isOver && stream.#pending === undefined)
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    this.#progress?.record()
    const next = this.#pending ? this.#pending.then(() => this.#next()) : this.#next()
    const settled = next
      .catch(() => {})
      .then(() => {
        if (this.#pending === settled) this.#pending = undefined
      })
    this.#pending = settled
    return next
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    if (!this.#isOver) {
      this.#finish()
      this.#caller.stop(this.#id)
    }
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#failure) throw this.#failure
    if (this.#isOver) return { done: true, value: undefined }
    try {
      const value = await this.#take()
      this.#progress?.record()
      if (!this.#isOver) return { done: false, value }
    } catch (error) {
      if (!this.#isOver) {
        // The source of an error can still be open: the hook can have rejected a value.
        // Requests after the end are answered, too.
        const isDone = isStreamEnd(error)
        this.#finish(!isDone)
        if (isDone) return { done: true, value: undefined }
        this.#caller.stop(this.#id)
        throw error
      }
    }
    if (this.#failure) throw this.#failure
    return { done: true, value: undefined }
  }

  /** Takes the next value, and requests those after it: the first time none, then twice as many whenever the reader has to wait. */
  #take(): Promise<unknown> {
    const first = this.#ahead.shift() ?? this.#request(0)
    first.isTaken = true
    if (first.result !== undefined) {
      first.result = undefined
      this.#unread--
    }
    if (this.#depth === 0) this.#depth = 1
    else if (!first.isAnswered && this.#caller.canReadAhead !== false) {
      this.#depth = Math.min(this.#depth * 2, this.#maxRequests)
    }
    // Each value that was read is replaced by a request, which also tells the source that it was read.
    while (this.#ahead.length + 1 < this.#depth) {
      this.#ahead.push(this.#request(first.isAnswered ? 0 : 1))
    }
    return first.value
  }

  /** @param taken - 1 if the reader waits for an earlier value */
  #request(taken: number): Request {
    const ahead = this.#maxRequests === 1 ? undefined : this.#ahead.length + 1 + taken
    const request: Request = {
      value: this.#caller.pull(this.#id, this.#controller.signal, ahead),
      bytesBefore: this.#caller.receivedBytes ?? 0,
      isAnswered: false,
      isTaken: false,
      result: undefined,
      size: undefined,
    }
    request.value.then(
      value => this.#answered(request, value),
      () => void (request.isAnswered = true),
    )
    return request
  }

  #answered(request: Request, value: unknown): void {
    request.isAnswered = true
    if (request.isTaken || this.#isOver) return
    request.result = value
    if (++this.#unread > 2) this.#checkUnread()
  }

  /**
   * Holds the source to its credit. An honest one waits while `STREAM_READ_AHEAD` bytes are unread, but for its last two values. Values are
   * measured only if enough has arrived since the first of them was requested.
   */
  #checkUnread(): void {
    const { receivedBytes = 0, violated } = this.#caller
    const [first] = this.#ahead
    if (!violated || !first || receivedBytes - first.bytesBefore < MAX_STREAM_UNREAD) return
    const sizes = this.#ahead
      .filter(request => request.result !== undefined)
      .map(request => (request.size ??= getLeastSize(request.result, MAX_STREAM_UNREAD)))
    const [, , ...others] = sizes.toSorted((a, b) => b - a)
    const size = others.reduce((sum, bytes) => sum + bytes, 0)
    if (size < MAX_STREAM_UNREAD) return
    const text = `The peer violated the protocol: more than ${STREAM_READ_AHEAD} bytes of a stream are unread`
    this.#caller.violated!(new BusError('InvalidRequest', text))
  }

  #finish(mustAbort = true): void {
    this.#isOver = true
    this.#ahead.length = 0
    this.#unread = 0
    if (mustAbort) this.#controller.abort()
    for (const done of this.#whenOver.splice(0)) done()
  }
}
