// A stream at its receiver: an argument of a call, a channel, or the result of an exposed function. Each `next` asks the source's side
// for one value, unless values are read ahead.
import { BusError, isBusError } from '../errors/bus-error.js'
import { type RequestMessage, toStreamReference } from '../message/message.js'

/** The connection to the side that has the source. */
export interface StreamCaller {
  /** Requests the next value. */
  pull(stream: number, signal: AbortSignal): Promise<unknown>
  /** Notifies the other side that no more values are read. */
  stop(stream: number): void
}

/** Requests the values of one stream before its reader wants them. */
export interface ValueRequests {
  /** Returns the next value. */
  take(signal: AbortSignal): Promise<unknown>
  /** No more values are read. */
  end(): void
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
  readonly #requests: ValueRequests | undefined
  readonly #whenOver: (() => void)[] = []
  readonly #controller = new AbortController()
  #isOver = false
  /** Settles with the last `next`, if that waits: the caller answers one request at a time. */
  #pending: Promise<unknown> | undefined
  /** The reason if the call ended before the stream. */
  #failure: BusError | undefined

  /** @param requests - requests the values ahead. @default requests each value when it is read */
  constructor(id: number, caller: StreamCaller, requests?: ValueRequests) {
    this.#id = id
    this.#caller = caller
    this.#requests = requests
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
      const { signal } = this.#controller
      const value = await (this.#requests ? this.#requests.take(signal) : this.#caller.pull(this.#id, signal))
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

  #finish(mustAbort = true): void {
    this.#isOver = true
    this.#requests?.end()
    if (mustAbort) this.#controller.abort()
    for (const done of this.#whenOver.splice(0)) done()
  }
}
