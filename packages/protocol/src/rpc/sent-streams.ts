// Streams that this side has passed as arguments of calls. The receiver pulls their values; a stream ends with its call.
import { getIterator, leaveIterator } from '../util/async-iterable.js'
import { createStreamEnd } from './received-stream.js'

export class SentStreams {
  readonly #open = new Map<number, AsyncIterator<unknown>>()
  #lastId = 0

  /** Opens the source and returns its id. @throws what the source throws, such as a locked ReadableStream */
  add(source: AsyncIterable<unknown>): number {
    const iterator = getIterator(source)
    const id = ++this.#lastId
    this.#open.set(id, iterator)
    return id
  }

  /** Returns the next value. @throws the source's error, or the error that stands for its end */
  async next(id: number): Promise<unknown> {
    const iterator = this.#open.get(id)
    if (!iterator) throw createStreamEnd()
    try {
      const { done, value } = await iterator.next()
      if (!done) return value
    } catch (error) {
      this.#open.delete(id)
      throw error
    }
    this.#open.delete(id)
    throw createStreamEnd()
  }

  /** Ends a source: its `return` is called, unless it is done. Does nothing for an unknown id. */
  close(id: number): void {
    const iterator = this.#open.get(id)
    if (!this.#open.delete(id)) return
    void leaveIterator(iterator!)
  }
}
