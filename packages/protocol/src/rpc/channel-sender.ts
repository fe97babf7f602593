// Channels that core or the host has passed to exposed functions: each is a stream of what the function sends, which core reads.
import { BusError } from '../errors/bus-error.js'
import { type RequestMessage, toChannelReference } from '../message/message.js'
import { BoundedQueue } from '../util/bounded-queue.js'
import { MAX_CLIENT_QUEUE, MAX_CLIENT_QUEUE_BYTES } from '../wire/limits.js'
import { type SentStreams, tryEstimateSize } from './sent-streams.js'

/** A channel among the arguments of an exposed function. */
export interface ChannelSender<T = unknown> {
  /**
   * Sends a message. Resolves once the reader has asked for it and the link has it: while the reader is behind, messages wait. Change the
   * message only after that. The result of the call leaves after it. A sender that does not wait queues up to 65 536 messages, or 64 MiB.
   *
   * @throws {BusError} `Disconnected` if the channel has ended, or nobody reads it any more; `InvalidParams` if the message cannot be
   * serialized, which ends the channel; `Overloaded` if too much is queued
   */
  send(message: T): Promise<void>
  /** Ends the channel after all messages that were sent. */
  end(): void
}

type Queued = { readonly message: unknown; settle(error?: BusError): void }

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

class MessageQueue implements AsyncIterableIterator<unknown, undefined, undefined> {
  readonly #queued = new BoundedQueue<Queued>({ count: MAX_CLIENT_QUEUE, bytes: MAX_CLIENT_QUEUE_BYTES })
  /**
   * Messages that the reader has asked for and that are not sent yet, in order. Requests are answered in order; a reader that cancels one also
   * stops reading, which rejects all of these.
   */
  readonly #unsent: Queued[] = []
  #wake = (): void => {}
  #isOver = false

  send(message: unknown): Promise<void> {
    const sent = new Promise<void>((resolve, reject) => {
      if (this.#isOver) throw createEndError()
      if (this.#queued.isFull) throw new BusError('Overloaded', 'Too many messages of the channel are queued')
      this.#queued.push({ message, settle: error => (error ? reject(error) : resolve()) }, tryEstimateSize(message))
      this.#wake()
    })
    // The end of the reader must not end a thread that does not await its messages.
    sent.catch(() => {})
    return sent
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    while (this.#queued.size === 0) {
      // `sent` does not reach a queue whose end was read.
      if (this.#isOver && this.#unsent.length === 0) return DONE
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
    const queued = this.#queued.shift()!
    this.#unsent.push(queued)
    return { done: false, value: queued.message }
  }

  /** The first message that the reader has asked for was sent, or could not be: then the reader gets no other. */
  sent(error?: BusError): void {
    this.#unsent.shift()?.settle(error)
    if (error) void this.return()
    this.#wake()
  }

  end(): void {
    this.#isOver = true
    this.#wake()
  }

  /** Nobody reads any more. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    for (const { settle } of [...this.#unsent.splice(0), ...this.#queued.clear()]) settle(createEndError())
    this.end()
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** Ends channels whose senders were collected without `end`. */
const collected = new FinalizationRegistry<MessageQueue>(queue => queue.end())

/** Replaces the references of declared channels among the arguments of a call. Their ids are core's. */
export function receiveChannels({ channels, params }: RequestMessage, streams: SentStreams): void {
  const args = params as Record<string, unknown>
  for (const [name, id] of Object.entries(channels ?? {})) {
    if (args[name] !== toChannelReference(id)) continue
    const queue = new MessageQueue()
    streams.add(queue, undefined, id, error => queue.sent(error))
    args[name] = createSender(queue)
  }
}

/** A frozen object of its own: scripts that share a thread must have nothing in common that they can change. */
function createSender(queue: MessageQueue): ChannelSender {
  const sender = Object.freeze({ send: (message: unknown) => queue.send(message), end: () => queue.end() })
  collected.register(sender, queue)
  return sender
}

const createEndError = (): BusError =>
  new BusError('Disconnected', 'The channel has ended', { data: { delivered: 'no' } })
