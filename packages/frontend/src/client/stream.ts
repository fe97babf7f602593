// A call whose handler returns an async iterable. Its values arrive on a channel of the call, followed by the response.
import { withCaller } from '@sallyport/protocol/internal/errors'
import { Channel } from './channel.js'

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
