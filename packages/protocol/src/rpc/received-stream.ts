// A stream that was passed as an argument of a call, at its receiver. Each `next` asks the caller for one value, so nothing is read ahead.
import { BusError, isBusError } from '../errors/bus-error.js'
import { type RequestMessage, toStreamReference } from '../message/message.js'

/** The connection to the caller who passed a stream. */
export interface StreamCaller {
  /** Requests the next value. */
  pull(stream: number, signal: AbortSignal): Promise<unknown>
  /** Notifies the caller that no more values are read. */
  stop(stream: number): void
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

export class ReceivedStream implements AsyncIterableIterator<unknown, undefined, undefined> {
  readonly #id: number
  readonly #caller: StreamCaller
  readonly #controller = new AbortController()
  #isOver = false
  /** Settles with the last `next`, if that waits: the caller answers one request at a time. */
  #pending: Promise<unknown> | undefined
  /** The reason if the call ended before the stream. */
  #failure: BusError | undefined

  constructor(id: number, caller: StreamCaller) {
    this.#id = id
    this.#caller = caller
  }

  /** Ends a stream whose call is over. Static, so that handlers do not find it on the iterator. */
  static end(stream: ReceivedStream, reason?: BusError): void {
    if (stream.#isOver) return
    stream.#failure = reason ?? new BusError('Disconnected', 'The call that passed the stream has ended')
    stream.#finish()
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
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
      const value = await this.#caller.pull(this.#id, this.#controller.signal)
      if (!this.#isOver) return { done: false, value }
    } catch (error) {
      if (!this.#isOver) {
        // The source of an error can still be open: the hook can have rejected a value.
        this.#finish()
        if (isStreamEnd(error)) return { done: true, value: undefined }
        this.#caller.stop(this.#id)
        throw error
      }
    }
    if (this.#failure) throw this.#failure
    return { done: true, value: undefined }
  }

  #finish(): void {
    this.#isOver = true
    this.#controller.abort()
  }
}
