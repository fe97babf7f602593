// Streams that this side has passed on, as arguments of calls or as results. The receiver pulls their values. An argument ends with its call.
import { bindContext, IS_NODE } from '#platform'
import { BusError, describeCommand, describeThrown } from '../errors/bus-error.js'
import type { CallProgress } from '../message/call-progress.js'
import { toStreamReference } from '../message/message.js'
import type { StreamParams } from '../message/methods.js'
import { getIterator, leaveIterator } from '../util/async-iterable.js'
import { isAsyncIterable, isBytes } from '../util/type-guards.js'
import { CHANNEL_MESSAGE_COST, MAX_STREAM_REQUESTS, STREAM_READ_AHEAD } from '../wire/limits.js'
import { createStreamEnd } from './received-stream.js'

interface SentStream {
  readonly iterator: AsyncIterator<unknown>
  readonly ended: ((isClosed: boolean) => void) | undefined
  readonly onSent: ((error?: BusError) => void) | undefined
  /** Requests that wait for a value. */
  waiting: number
  /** Resolves when the last of them was answered. */
  answered: Promise<unknown>
  /** Sizes of the values that the receiver holds unread, as far as is known, and their sum. */
  readonly unread: number[]
  unreadBytes: number
  /** How many of these were sent. */
  sent: number
  /** Called with each value that is answered. */
  answering?: () => void
  /** Set while the next value waits until the receiver has read more. */
  wake?: (() => void) | undefined
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

  /**
   * Opens the source and returns its id.
   *
   * @param ended - called once: with true if the source was closed, else when it is done or has thrown
   * @param onSent - called when the next value was sent, or could not be for this error
   * @throws what the source throws, such as a locked ReadableStream
   */
  add(
    source: AsyncIterable<unknown>,
    ended?: (isClosed: boolean) => void,
    id: number = ++this.#lastId,
    onSent?: (error?: BusError) => void,
  ): number {
    const opened = getIterator(source)
    const iterator = IS_NODE
      ? { next: bindContext(() => opened.next()), return: bindContext(async () => (await opened.return?.())!) }
      : opened
    this.#open.set(id, {
      ...{ iterator, ended, onSent, waiting: 0, answered: Promise.resolve() },
      ...{ unread: [], unreadBytes: 0, sent: 0 },
    })
    return id
  }

  /** Lets each value of these streams extend the idle deadline of their call. */
  watch(ids: Readonly<Record<string, number>>, progress: CallProgress): void {
    for (const id of Object.values(ids)) {
      const stream = this.#open.get(id)
      if (stream) stream.answering = () => progress.record()
    }
  }

  /**
   * Returns the next value. Back-pressure is by bytes: the source waits while the receiver holds too many unread.
   *
   * @param ahead - as in `StreamParams`. A request for a value tells that another one was read
   * @throws the source's error, or the error that stands for its end
   */
  async next(id: number, ahead?: number): Promise<unknown> {
    const stream = this.#open.get(id)
    if (!stream) throw createStreamEnd()
    // A source would queue the requests of a hostile receiver without a bound.
    if (stream.waiting >= (ahead === undefined ? 1 : MAX_STREAM_REQUESTS)) {
      throw new BusError('InvalidRequest', 'The stream has not answered the previous request yet')
    }
    stream.waiting++
    if (ahead !== undefined) forgetRead(stream, ahead)
    const value = stream.answered.then(() => this.#take(id, stream, ahead !== undefined))
    stream.answered = value.catch(() => {})
    return value
  }

  /**
   * The next value was sent, in so many bytes. Its size was a guess before: a `toJSON` can have returned any number of them.
   *
   * @param error - why it was not sent
   */
  sent({ stream: id, ahead }: StreamParams, bytes: number, error?: BusError): void {
    const stream = this.#open.get(id)
    stream?.onSent?.(error)
    if (!stream || ahead === undefined) return
    const index = stream.sent++
    const excess = bytes - (stream.unread[index] ?? bytes)
    if (excess <= 0) return
    stream.unread[index] = bytes
    stream.unreadBytes += excess
  }

  async #take(id: number, stream: SentStream, isReadAhead: boolean): Promise<unknown> {
    while (stream.unreadBytes >= STREAM_READ_AHEAD) await new Promise<void>(resolve => (stream.wake = resolve))
    if (this.#open.get(id) !== stream) throw createStreamEnd()
    try {
      const { done, value } = await stream.iterator.next()
      stream.waiting--
      stream.answering?.()
      if (!done) {
        if (isReadAhead) stream.unreadBytes += stream.unread[stream.unread.push(tryEstimateSize(value)) - 1]!
        return value
      }
    } catch (error) {
      this.#remove(id)
      throw error
    }
    this.#remove(id)
    throw createStreamEnd()
  }

  /** Ends a source: its `return` is called, unless it is done. Does nothing for an unknown id. */
  close(id: number): void {
    const stream = this.#remove(id, true)
    if (stream) void leaveIterator(stream.iterator)
  }

  /** Ends the streams of a call, or all of them. */
  closeAll(ids?: Readonly<Record<string, number>>): void {
    for (const id of ids ? Object.values(ids) : [...this.#open.keys()]) this.close(id)
  }

  #remove(id: number, isClosed = false): SentStream | undefined {
    const stream = this.#open.get(id)
    if (!stream) return undefined
    this.#open.delete(id)
    stream.ended?.(isClosed)
    forgetRead(stream, 0)
    return stream
  }
}

/** @param ahead - values that the receiver awaits or holds. All values before the last of them were read */
function forgetRead(stream: SentStream, ahead: number): void {
  const read = stream.unread.splice(0, Math.max(0, stream.unread.length - Math.max(0, ahead - stream.waiting)))
  stream.sent -= read.length
  for (const bytes of read) stream.unreadBytes -= bytes
  if (stream.unreadBytes >= STREAM_READ_AHEAD) return
  stream.wake?.()
  stream.wake = undefined
}

/** Values that are looked at in one value: what they are worth, beside text and bytes, is a rough guess anyway. */
const MAX_NODES = 1000

/** Returns roughly how many bytes a value has, without encoding it. Throws what a getter of it throws. */
export function estimateSize(value: unknown): number {
  let size = CHANNEL_MESSAGE_COST
  const nodes = [value]
  for (let index = 0; index < nodes.length && index < MAX_NODES; index++) {
    const node = nodes[index]
    if (typeof node === 'string') size += node.length
    else if (isBytes(node)) size += node.byteLength
    else if (typeof node === 'object' && node !== null) {
      const members: unknown[] = Array.isArray(node) ? node : Object.values(node)
      size += 8 * members.length
      for (let member = 0; member < members.length && nodes.length < MAX_NODES; member++) nodes.push(members[member])
    }
  }
  return size
}

/** As `estimateSize`, but returns 0 if a getter throws: the codec will refuse the value. */
export function tryEstimateSize(value: unknown): number {
  try {
    return estimateSize(value)
  } catch {
    return 0
  }
}
