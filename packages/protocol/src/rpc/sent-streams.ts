// Streams that this side has passed as arguments of calls. The receiver pulls their values; a stream ends with its call.
import { BusError, describeCommand, describeThrown } from '../errors/bus-error.js'
import { toStreamReference } from '../message/message.js'
import { getIterator, leaveIterator } from '../util/async-iterable.js'
import { isAsyncIterable } from '../util/type-guards.js'
import { createStreamEnd } from './received-stream.js'

interface SentStream {
  readonly iterator: AsyncIterator<unknown>
  /** The receiver waits for a value. */
  isPulled: boolean
}

/** True for a `ReadableStream`, or another async iterable without a JSON form: channels have one. */
export const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  isAsyncIterable(value) && typeof (value as { toJSON?: unknown }).toJSON !== 'function'

export class SentStreams {
  readonly #open = new Map<number, SentStream>()
  #lastId = 0

  /**
   * Opens the streams among a call's arguments and replaces them by references in `args`. Opens none if one of them cannot be read.
   * Returns their ids by the names of their arguments.
   *
   * @throws {BusError} `InvalidParams`
   */
  replace(command: string, args: Record<string, unknown>): Record<string, number> {
    const ids: Record<string, number> = {}
    for (const [name, value] of Object.entries(args)) {
      if (!isStream(value)) continue
      try {
        ids[name] = this.add(value)
      } catch (cause) {
        this.closeAll(ids)
        const argument = `The argument ${JSON.stringify(name)} of ${describeCommand(command)}`
        throw new BusError('InvalidParams', `${argument} cannot be read: ${describeThrown(cause)}`, { cause })
      }
      args[name] = toStreamReference(ids[name])
    }
    return ids
  }

  /** Opens the source and returns its id. @throws what the source throws, such as a locked ReadableStream */
  add(source: AsyncIterable<unknown>): number {
    const iterator = getIterator(source)
    const id = ++this.#lastId
    this.#open.set(id, { iterator, isPulled: false })
    return id
  }

  /** Returns the next value. @throws the source's error, or the error that stands for its end */
  async next(id: number): Promise<unknown> {
    const stream = this.#open.get(id)
    if (!stream) throw createStreamEnd()
    // A source would queue the requests of a hostile receiver without a bound.
    if (stream.isPulled) throw new BusError('InvalidRequest', 'The stream has not answered the previous request yet')
    stream.isPulled = true
    try {
      const { done, value } = await stream.iterator.next()
      stream.isPulled = false
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
    const stream = this.#open.get(id)
    if (!this.#open.delete(id)) return
    void leaveIterator(stream!.iterator)
  }

  /** Ends the streams of a call. */
  closeAll(ids: Readonly<Record<string, number>>): void {
    for (const id of Object.values(ids)) this.close(id)
  }
}
