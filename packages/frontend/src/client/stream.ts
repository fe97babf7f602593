// The values of a call whose handler gives many: they come on a channel of the call's own, and then its answer. Nothing is
// sent until the first value is asked for, and leaving the loop gives the call up, which ends the handler's generator.
import { Channel } from './channel.js'

/** Makes the call. It gives what gives it up. */
export type BeginStream = (channel: Channel, resolve: () => void, reject: (error: unknown) => void) => () => void

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** What `stream` gives: one call, for one loop. */
export class Stream<T = unknown> implements AsyncIterableIterator<T, void, undefined> {
  readonly #begin: BeginStream
  readonly #signal: AbortSignal | undefined
  readonly #channel = new Channel<T>()
  readonly #values = this.#channel[Symbol.asyncIterator]()
  #answer: Promise<void> | undefined
  #giveUp: (() => void) | undefined
  #failed = false
  #over = false

  /** @internal */
  constructor(begin: BeginStream, signal: AbortSignal | undefined) {
    this.#begin = begin
    this.#signal = signal
  }

  /** @throws BusError what the call rejects with, once the values before it have been read; at once where its signal aborts */
  async next(): Promise<IteratorResult<T, void>> {
    if (this.#over) return DONE
    this.#answer ??= this.#start()
    const read = this.#isCancelled() ? DONE : await this.#values.next()
    if (this.#over) return DONE
    if (!read.done && !this.#isCancelled()) return read
    this.#over = true
    await this.#answer
    return DONE
  }

  /** What `break` calls. It waits for nothing: core is told, and the handler's `finally` runs there. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#over = true
    this.#channel.finish()
    this.#giveUp?.()
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #start(): Promise<void> {
    const answer = new Promise<void>((resolve, reject) => {
      this.#giveUp = this.#begin(this.#channel as Channel, resolve, reject)
    })
    answer.then(
      () => this.#channel.finish(),
      () => {
        this.#failed = true
        this.#channel.finish()
      },
    )
    return answer
  }

  /** What was not read by then is for nobody. */
  #isCancelled(): boolean {
    return this.#failed && this.#signal?.aborted === true
  }
}
