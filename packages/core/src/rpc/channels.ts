// Channels and streams: the channel that a handler holds, the open channels of one session, the streams among the arguments of its calls,
// and handlers that return an async iterable.
import { BusError, describeCommand, isBusError, toNames } from '@sallyport/protocol/internal/errors'
import {
  type CallChannels,
  type CallHeaders,
  checkOptionNames,
  parseChannelReference,
  STREAM_HEADER,
  toChannelReference,
  toStreamReference,
  type TransferOptions,
} from '@sallyport/protocol/internal/message'
import { refuseNestedChannel } from '@sallyport/protocol/internal/codec'
import {
  awaitSent,
  countDeclared,
  countStreams,
  ReceivedStream,
  sendEach,
  SENT,
  StreamReceiver,
  type Streams,
  type StreamSender,
} from '@sallyport/protocol/internal/rpc'
import { CHANNEL_READ_AHEAD, MAX_CHANNELS } from '@sallyport/protocol/internal/wire'
import { getIterator, isAsyncIterable, isThenable, leaveIterator } from '@sallyport/protocol/internal/util'
import { HOST_METHOD } from '../contract/host-core.js'
import { takeTransfer } from '../api/transfer.js'

/** An ordered stream to the frontend that passed the channel as an argument. */
export interface Channel<T = unknown> {
  /** The number in `__CHANNEL__:<id>`. */
  readonly id: number
  /**
   * Aborts when messages no longer arrive: the frontend closed the channel, cancelled its call or disconnected, or the call that
   * opened the channel failed.
   */
  readonly signal: AbortSignal
  /**
   * Sends the message as it is now. Resolves when there is room for the next one: until the frontend has read some, at most 4 MiB
   * are in flight. Each message counts 1 KiB more. The answer of the call waits for all messages that were accepted. If the sender does not
   * wait, up to 65 536 messages or 64 MiB are queued: the call fails with `Overloaded` if it sends more, also if nobody looks at
   * the promise, and the log has a line `message lost`.
   *
   * @throws {BusError} `Disconnected` if the channel has ended or was closed, or its frontend disconnected; `InvalidParams` if
   * the message cannot be serialized; `Overloaded` if too much is queued
   */
  send(message: T, options?: TransferOptions): Promise<void>
  /** Ends the stream after all messages that were sent. The frontend's iterators finish. */
  end(): void
}

/** A channel that a call opened, or a stream among its arguments. */
export interface CallChannel {
  readonly isOpen: boolean
  /** Ends because the call never ran. */
  end(): void
  /** Ends because the call failed. @default end */
  fail?(): void
  /** Ends because the call was aborted. */
  abandon(message: string, reason?: BusError): void
  /** The call is over. A channel remains open. */
  release?(): void
}

/** What the handles of one channel share. Once all of them are garbage, no more can be sent, and the channel ends. */
export class HeldChannel implements CallChannel {
  readonly sender: StreamSender
  readonly #lost: (error: BusError) => void
  #handleCount = 0
  #controller: AbortController | undefined
  #failureMessage: string | undefined
  #hasOverflowed = false

  /** @param lost - is called with the error of a message that cannot be serialized, or has no room, which the handler may not await */
  constructor(sender: StreamSender, lost: (error: BusError) => void) {
    this.sender = sender
    this.#lost = lost
    sender.left = message => this.#abort(message)
  }

  get isOpen(): boolean {
    return this.sender.isOpen
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#failureMessage !== undefined) this.#abort(this.#failureMessage)
    return this.#controller.signal
  }

  createHandle(): ChannelHandle {
    this.#handleCount++
    return new ChannelHandle(this)
  }

  releaseHandle(): void {
    if (--this.#handleCount === 0) this.end()
  }

  send(message: unknown, options?: TransferOptions): Promise<void> {
    const sent = this.sender.send(message, options?.transfer)
    if (sent === SENT) return sent
    sent.catch(error => {
      if (isBusError(error, 'Disconnected')) return
      const isOverload = isBusError(error, 'Overloaded')
      // One line for a channel, which can send without a pause.
      if (!isOverload || !this.#hasOverflowed) this.#lost(error)
      this.#hasOverflowed ||= isOverload
    })
    return sent
  }

  end(): void {
    this.sender.end()
  }

  /** Holders of a handle see the signal abort. Messages that still wait are rejected: the client, which ends the channel itself, gives no credit. */
  fail(): void {
    const message = `The call that opened channel ${this.sender.id} failed`
    this.end()
    this.abandon(message)
    this.#abort(message)
  }

  abandon(message: string): void {
    this.sender.abandon(message)
  }

  #abort(message: string): void {
    this.#failureMessage ??= message
    this.#controller?.abort(new BusError('Disconnected', this.#failureMessage, { data: { delivered: 'no' } }))
  }
}

/** Releases handles that are collected without `end`, as dropping a channel does in Tauri. */
const collectedHandles = new FinalizationRegistry<HeldChannel>(channel => channel.releaseHandle())

const OPTION_NAMES = toNames<TransferOptions>({ transfer: true })

export class ChannelHandle implements Channel {
  readonly #channel: HeldChannel

  constructor(channel: HeldChannel) {
    this.#channel = channel
    collectedHandles.register(this, channel)
  }

  /** Static, so that handlers do not find it. */
  static getSender(handle: ChannelHandle): StreamSender {
    return handle.#channel.sender
  }

  get id(): number {
    return this.#channel.sender.id
  }

  get signal(): AbortSignal {
    return this.#channel.signal
  }

  send(message: unknown, options?: TransferOptions): Promise<void> {
    try {
      if (options !== undefined) checkOptionNames('Channel.send', options, OPTION_NAMES, undefined, String)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#channel.send(message, options)
  }

  end(): void {
    this.#channel.end()
  }

  /** @throws {TypeError} within a message, as that of a frontend's `Channel` */
  toJSON(): string {
    refuseNestedChannel(this)
    return toChannelReference(this.id)
  }
}

/** Returns the senders of the channels among the arguments of a call. */
export const findSenders = (args: Readonly<Record<string, unknown>>): StreamSender[] =>
  Object.values(args).flatMap(each => (each instanceof ChannelHandle ? ChannelHandle.getSender(each) : []))

/** Returns the result of a call once what it has sent on its channels has left. @throws {BusError} Overloaded, by the promise: see `awaitSent` */
export function resultAfter(senders: readonly StreamSender[], result: unknown): unknown {
  if (isThenable(result)) return Promise.resolve(result).then(value => resultAfter(senders, value))
  const sent = awaitSent(senders)
  return sent ? sent.then(() => result) : result
}

/** A stream among the arguments of a call, which ends with the call. */
const toCallStream = (receiver: StreamReceiver): CallChannel => ({
  get isOpen() {
    return !receiver.hasEnded
  },
  end: () => receiver.fail(),
  release: () => receiver.fail(),
  abandon: (_message, reason) => receiver.fail(reason),
})

/** The open channels of one session, and the streams among the arguments of its calls. A frontend declares both among the top-level arguments. */
export class ChannelTable {
  readonly #streams: Streams
  readonly #held = new WeakMap<StreamSender, HeldChannel>()
  readonly #getTotal: (count: (streams: Streams) => number) => number
  readonly #lost: (error: BusError) => void

  /**
   * @param getTotal - adds up what it is to count in `streams`, and in those of other sessions that share the limit
   * @param lost - see `HeldChannel`
   */
  constructor(
    streams: Streams,
    getTotal: (count: (streams: Streams) => number) => number = count => count(streams),
    lost: (error: BusError) => void = () => {},
  ) {
    this.#lost = lost
    this.#getTotal = getTotal
    this.#streams = streams
  }

  /** Replaces the references of declared channels and streams in `args`. Returns what ends with the call. @throws {BusError} `InvalidRequest`, `Overloaded` */
  bind(args: unknown, declared: CallChannels): readonly CallChannel[] {
    const members = args as Record<string, unknown>
    const entries = Object.entries(declared)
    const channels = entries.filter(([name, id]) => members[name] !== toStreamReference(id))
    const { senders } = this.#streams
    const unopened = new Set(channels.map(([, id]) => id).filter(id => !senders.has(id)))
    const streamCount = entries.length - channels.length
    const openCount = this.#getTotal(countStreams) + unopened.size + streamCount
    const declaredCount = this.#getTotal(countDeclared) + entries.length
    if (Math.max(openCount, declaredCount) > MAX_CHANNELS) throw createStreamLimitError()
    const opened: CallChannel[] = Array.from(unopened, id => this.#hold(this.#create(id)))
    opened.push(this.#countDeclared(entries.length))
    for (const [name, id] of channels) members[name] = this.#hold(senders.get(id)!).createHandle()
    if (streamCount === 0) return opened
    for (const [name, id] of entries) {
      if (members[name] !== toStreamReference(id)) continue
      const receiver = new StreamReceiver()
      try {
        this.#streams.receive(id, receiver, true)
      } catch (error) {
        for (const channel of opened) channel.end()
        throw error
      }
      opened.push(toCallStream(receiver))
      members[name] = new ReceivedStream(receiver)
    }
    return opened
  }

  /** Counts what a call has declared. Returns what ends the count with the call. */
  #countDeclared(count: number): CallChannel {
    this.#streams.declaredCount = countDeclared(this.#streams) + count
    const end = (): void => {
      this.#streams.declaredCount = countDeclared(this.#streams) - count
      count = 0
    }
    return { isOpen: false, end, release: end, abandon: () => {} }
  }

  /** Opens the channel of a call that wants a stream, or ends `opened`, the call's other channels. @throws {BusError} */
  openStream(headers: CallHeaders, opened: readonly CallChannel[]): StreamSender | undefined {
    const reference = headers[STREAM_HEADER]
    if (reference === undefined) return undefined
    const id = parseChannelReference(reference)
    const isFull = this.#getTotal(countStreams) >= MAX_CHANNELS
    if (!isFull && id !== undefined && !this.#streams.senders.has(id)) return this.#create(id)
    for (const channel of opened) channel.end()
    if (isFull) throw createStreamLimitError()
    throw new BusError('InvalidRequest', `The header ${STREAM_HEADER} must refer to a channel that is not open yet`)
  }

  #hold(sender: StreamSender): HeldChannel {
    let channel = this.#held.get(sender)
    if (!channel) this.#held.set(sender, (channel = new HeldChannel(sender, this.#lost)))
    return channel
  }

  #create(id: number): StreamSender {
    return this.#streams.open(id, CHANNEL_READ_AHEAD)
  }
}

export const createStreamLimitError = (): BusError =>
  new BusError('Overloaded', `More than ${MAX_CHANNELS} channels and streams of one frontend are open`)

/**
 * Sends the values of an async iterable, or a promise of one, then the channel's end. The host takes one value, too, which is returned.
 *
 * @throws the iterable's own errors, too
 */
export async function sendAll(
  result: unknown,
  channel: StreamSender,
  method: string,
  signal: AbortSignal,
): Promise<unknown> {
  const iterable = await result
  if (!isAsyncIterable(iterable)) {
    if (method === HOST_METHOD.call) return iterable
    const text = `${describeCommand(method)} returned one value instead of a stream. Call it with invoke`
    throw new BusError('InvalidRequest', text)
  }
  await sendUntilAbort(getIterator(iterable), channel, signal)
  channel.end()
  return null
}

/** Resolves early if the signal aborts, but not before the iterator's `return` has: until then the handler still runs. */
function sendUntilAbort(iterator: AsyncIterator<unknown>, channel: StreamSender, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => void leaveIterator(iterator).then(resolve)
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave, { once: true })
    sendEach(iterator, channel, takeTransfer)
      .then(
        isDone => {
          if (isDone || signal.aborted) return resolve()
          void leaveIterator(iterator)
          reject(new BusError('Disconnected', `The reader closed channel ${channel.id}`))
        },
        error => !signal.aborted && reject(error),
      )
      .finally(() => signal.removeEventListener('abort', leave))
  })
}
