// Requests the values of a stream before its reader wants them, more of them while it has to wait, and holds the source to its credit.
import { BusError } from '../errors/bus-error.js'
import type { CallProgress } from '../message/call-progress.js'
import { MAX_STREAM_REQUESTS, MAX_STREAM_UNREAD, STREAM_READ_AHEAD } from '../wire/limits.js'
import { getLeastSize } from './least-size.js'
import type { ValueRequests } from './received-stream.js'

/** The connection to the side that has the source. */
export interface ReadAheadCaller {
  /** False while so many requests wait that there should be no more of them than needed. */
  readonly canReadAhead: boolean
  /** Requests the next value. @param ahead - values that the receiver awaits, or holds unread, with this one */
  pull(stream: number, signal: AbortSignal, ahead: number): Promise<unknown>
  /** Bytes that have arrived from the other side so far, by which it is held to its credit. */
  readonly receivedBytes: number
  /** Ends the other side, which has sent more than it may. */
  violated(error: BusError): void
}

interface Request {
  readonly value: Promise<unknown>
  /** `receivedBytes` of the caller when the value was requested. */
  readonly bytesBefore: number
  isAnswered: boolean
  /** The reader has the value, or waits for it. */
  isTaken: boolean
  /** The value, while it is unread, and its least size once that is known. */
  result: unknown
  size: number | undefined
}

export class ReadAhead implements ValueRequests {
  readonly #id: number
  readonly #caller: ReadAheadCaller
  readonly #progress: CallProgress | undefined
  /** The values that were requested ahead, in order. */
  readonly #ahead: Request[] = []
  /** How many of these have been answered. */
  #unread = 0
  /** How many values are requested at a time; 0 before the first one. */
  #depth = 0
  /** The reader waits for a value. */
  #isAwaited = false
  #isOver = false

  /** @param progress - each value extends this idle deadline. The time between two reads does not count */
  constructor(id: number, caller: ReadAheadCaller, progress?: CallProgress) {
    this.#id = id
    this.#caller = caller
    this.#progress = progress
    progress?.addReader(() => !this.#isOver && !this.#isAwaited)
  }

  /** Takes the next value, and requests those after it: the first time none, then twice as many whenever the reader has to wait. */
  take(signal: AbortSignal): Promise<unknown> {
    const first = this.#ahead.shift() ?? this.#request(signal, 0)
    first.isTaken = true
    if (first.result !== undefined) {
      first.result = undefined
      this.#unread--
    }
    if (this.#depth === 0) this.#depth = 1
    else if (!first.isAnswered && this.#caller.canReadAhead) {
      this.#depth = Math.min(this.#depth * 2, MAX_STREAM_REQUESTS)
    }
    // Each value that was read is replaced by a request, which also tells the source that it was read.
    while (this.#ahead.length + 1 < this.#depth) {
      this.#ahead.push(this.#request(signal, first.isAnswered ? 0 : 1))
    }
    if (this.#progress) this.#watch(this.#progress, first.value)
    return first.value
  }

  end(): void {
    this.#isOver = true
    this.#ahead.length = 0
    this.#unread = 0
  }

  #watch(progress: CallProgress, value: Promise<unknown>): void {
    const settled = (): void => {
      progress.record()
      this.#isAwaited = false
    }
    progress.record()
    this.#isAwaited = true
    value.then(settled, settled)
  }

  /** @param taken - 1 if the reader waits for an earlier value */
  #request(signal: AbortSignal, taken: number): Request {
    const request: Request = {
      value: this.#caller.pull(this.#id, signal, this.#ahead.length + 1 + taken),
      bytesBefore: this.#caller.receivedBytes,
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
    const { receivedBytes } = this.#caller
    const [first] = this.#ahead
    if (!first || receivedBytes - first.bytesBefore < MAX_STREAM_UNREAD) return
    const sizes = this.#ahead
      .filter(request => request.result !== undefined)
      .map(request => (request.size ??= getLeastSize(request.result, MAX_STREAM_UNREAD)))
    const [, , ...others] = sizes.toSorted((a, b) => b - a)
    const size = others.reduce((sum, bytes) => sum + bytes, 0)
    if (size < MAX_STREAM_UNREAD) return
    const text = `The peer violated the protocol: more than ${STREAM_READ_AHEAD} bytes of a stream are unread`
    this.#caller.violated(new BusError('InvalidRequest', text))
  }
}
