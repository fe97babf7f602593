// The open streams of one connection, by id. The messages of a stream are those of a channel: `$/channel` from its sender, `$/credit` and
// `$/closeChannel` from its receiver, in either direction.
import { bindContext, IS_NODE } from '#platform'
import { BusError, describeCommand, describeThrown, isBusError } from '../errors/bus-error.js'
import type { CausedErrorObject } from '../errors/error-data.js'
import { fromSentErrorObject } from '#sent-errors'
import {
  type ChannelParams,
  isErrorObject,
  METHOD,
  type RequestMessage,
  toChannelReference,
  toStreamReference,
} from '../wire/messages.js'
import { getIterator, leaveIterator } from '../util/async-iterable.js'
import { isAsyncIterable, isCount } from '../util/type-guards.js'
import { STREAM_WINDOW } from '../wire/limits.js'
import type { CallProgress } from './call-options.js'
import { refuseOpen } from './open-ids.js'
import { ReceivedStream, type StreamPeer, StreamReceiver } from './stream-receiver.js'
import { sendEach, StreamSender, type StreamWriter } from './stream-sender.js'

/** True for a `ReadableStream`, or another async iterable without a JSON form: channels have one. */
export const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  isAsyncIterable(value) && typeof (value as { toJSON?: unknown }).toJSON !== 'function'

export interface StreamsDeps {
  readonly writer: StreamWriter
  /** Returns the error of a source of this side that has thrown. */
  toError(thrown: unknown): BusError
  /** Holds the other side, which is not trusted, to its credit. */
  readonly createCheck?: (() => StreamPeer['check']) | undefined
  /** Called with the error that a source of the other side has thrown. */
  readonly failed?: ((error: BusError) => void) | undefined
}

type Ids = Readonly<Record<string, number>>

export interface ReplacedArguments {
  readonly params: Record<string, unknown>
  /** The ids of channels and streams by the names of their arguments. */
  readonly declared: Ids
  /** Those of the streams alone, which are open. */
  readonly streams: Ids
}

export class Streams {
  readonly senders: Map<number, StreamSender> = new Map()
  readonly receivers: Map<number, StreamReceiver> = new Map()
  /** Channels and streams that calls of the other side have declared, until these are over: a handler holds those that have ended, too. */
  declare declaredCount: number | undefined
  /** The id of the next stream that this side opens. */
  nextId = 1
  readonly #deps: StreamsDeps
  #isClosed = false

  constructor(deps: StreamsDeps) {
    this.#deps = deps
  }

  /** Opens a stream that this side sends. Parameters are those of the sender. @throws {BusError} `InvalidRequest` if its id is open */
  open(
    id: number,
    window: number = STREAM_WINDOW,
    closed?: (wasLeft: boolean) => void,
    begin?: () => void,
  ): StreamSender {
    if (IS_NODE) refuseOpen(this.senders, id, 'channel')
    const sender = new StreamSender(
      id,
      this.#deps.writer,
      window,
      wasLeft => {
        this.senders.delete(id)
        closed?.(wasLeft)
      },
      begin,
    )
    this.senders.set(id, sender)
    return sender
  }

  /**
   * Lets a receiver have the messages of a stream.
   *
   * @param isLazy - true if its sender has chosen the id, and waits for its first credit
   * @param call - the id of the call that opens the stream, which cannot be closed before
   * @throws {BusError} `InvalidRequest` if its sender has chosen an id that is open
   */
  receive(id: number, receiver: StreamReceiver, isLazy = false, call?: number): StreamReceiver {
    if (IS_NODE && isLazy) refuseOpen(this.receivers, id, 'stream')
    this.receivers.set(id, receiver)
    receiver.open(
      {
        credit: bytes => this.#notify(METHOD.credit, { channel: id, bytes }),
        close: () => this.#notify(METHOD.closeChannel, { channel: id }, call),
        forget: () => void (this.receivers.get(id) === receiver && this.receivers.delete(id)),
        check: IS_NODE ? this.#deps.createCheck?.() : undefined,
      },
      isLazy,
    )
    return receiver
  }

  /**
   * Sends the values of a source once its receiver asks for them.
   *
   * @param ended - called once: with true if the source was closed, else when it is done or has thrown
   * @throws what the source throws, such as a locked ReadableStream
   */
  add(source: AsyncIterable<unknown>, ended?: (isClosed: boolean) => void): StreamSender {
    const iterator = getIterator(source)
    const leave = bindContext(() => leaveIterator(iterator))
    const begin = bindContext(
      () =>
        void sendEach(iterator, sender).then(
          () => sender.end(),
          (error: unknown) => sender.end(this.#deps.toError(error)),
        ),
    )
    const closed = (isClosed: boolean): void => {
      if (isClosed) void leave()
      ended?.(isClosed)
    }
    const sender = this.open(this.nextId++, STREAM_WINDOW, closed, begin)
    return sender
  }

  /**
   * Replaces the channels and streams among a call's arguments by references. Opens no stream if one of them cannot be read.
   *
   * @param openChannel - returns the id of a value that is a channel
   * @throws {BusError} `InvalidParams`
   */
  replace(
    command: string,
    args: Readonly<Record<string, unknown>>,
    openChannel: (value: unknown, name: string) => number | undefined,
  ): ReplacedArguments {
    const params: Record<string, unknown> = {}
    const declared: Record<string, number> = {}
    const streams: Record<string, number> = {}
    for (const name of Object.keys(args)) {
      try {
        const value = args[name]
        const channel = openChannel(value, name)
        params[name] = value
        if (channel !== undefined) params[name] = toChannelReference((declared[name] = channel))
        else if (isStream(value))
          params[name] = toStreamReference((declared[name] = streams[name] = this.add(value).id))
      } catch (cause) {
        this.close(streams)
        if (isBusError(cause)) throw cause
        const problem = `${describeArgument(command, name)} cannot be read: ${describeThrown(cause)}`
        throw new BusError('InvalidParams', problem, { cause })
      }
    }
    return { params, declared, streams }
  }

  close(ids: Ids): void {
    for (const id of Object.values(ids)) this.senders.get(id)?.abandon()
  }

  /** Ends the streams that this side sends: the link has closed. */
  closeAll(message?: string): void {
    this.#isClosed = true
    for (const sender of [...this.senders.values()]) sender.abandon(message)
  }

  /** Handles a message of a stream. Returns false if it is another one, or is malformed. */
  handle(method: string, params: unknown): boolean {
    const members = (params ?? {}) as Record<string, unknown>
    const { channel, bytes, error } = members
    if (!isCount(channel)) return false
    if (method === METHOD.channel) {
      if (IS_NODE && !this.#isMessage(members)) return false
      this.#receive(channel, params as ChannelParams, error as CausedErrorObject | undefined)
      return true
    }
    const sender = this.senders.get(channel)
    if (method === METHOD.closeChannel) sender?.abandon()
    else if (method === METHOD.credit && isCount(bytes)) sender?.credit(bytes)
    else return false
    return true
  }

  #isMessage(members: Record<string, unknown>): boolean {
    const { credit, error, messages } = members
    if ('credit' in members && !isCount(credit)) return false
    if (error !== undefined && !isErrorObject(error)) return false
    // Only core sends several at once.
    return !('messages' in members) || (!this.#deps.createCheck && Array.isArray(messages) && messages.length > 0)
  }

  /**
   * Messages of a stream that has ended are dropped. A first message means that its sender was opened while its end was in flight: it is
   * closed, so that it does not wait for a reader forever.
   */
  #receive(channel: number, params: ChannelParams, error: CausedErrorObject | undefined): void {
    const receiver = this.receivers.get(channel)
    if (error) {
      const thrown = fromSentErrorObject(error)
      // A late one says nothing, as a late answer.
      if (IS_NODE && receiver) this.#deps.failed?.(thrown)
      receiver?.finish(thrown)
      // The source can still be open: the hook can have rejected a value.
      if (IS_NODE && this.#deps.createCheck) this.#notify(METHOD.closeChannel, { channel })
    } else if (receiver) receiver.receive(params)
    else if ('index' in params && params.index === 0 && !('end' in params)) {
      this.#notify(METHOD.closeChannel, { channel })
    }
  }

  #notify(method: string, params: object, after?: number): void {
    if (!this.#isClosed) this.#deps.writer.send({ jsonrpc: '2.0', method, params }, after)
  }
}

/** Lets each value of streams that is read extend the deadline of their call. Not a method: pages leave it out. */
export function watchSenders({ senders }: Streams, ids: Ids, progress: CallProgress): void {
  for (const id of Object.values(ids)) {
    const sender = senders.get(id)
    if (sender) sender.progress = progress
  }
}

export const describeArgument = (command: string, name: string): string =>
  `The argument ${JSON.stringify(name)} of ${describeCommand(command)}`

/** Returns the number of channels and streams that calls have declared. Not a method: pages leave it out. */
export const countDeclared = ({ declaredCount = 0 }: Streams): number => declaredCount

/** Returns the number of open streams and channels. Not a method: pages leave it out. */
export const countStreams = ({ senders, receivers }: Streams): number => senders.size + receivers.size

/** A channel among the arguments of an exposed function. */
export interface ChannelSender<T = unknown> {
  /**
   * Sends the message as it is now. Resolves when there is room for the next one: at most 1 MiB is in flight until the reader has read some. The
   * result of the call leaves after it. A sender that does not wait queues up to 65 536 messages, or 64 MiB: the call fails with `Overloaded`
   * if it sends more, also if nobody looks at the promise. In a web page, only the promise says so.
   *
   * @throws {BusError} `Disconnected` if the channel has ended, or nobody reads it any more; `InvalidParams` if the message cannot be
   * serialized; `Overloaded` if too much is queued
   */
  send(message: T): Promise<void>
  /** Ends the channel after all messages that were sent. */
  end(): void
}

/** Ends channels whose senders were collected without `end`. */
const collected = new FinalizationRegistry<StreamSender>(stream => stream.end())

/** A channel among the arguments of a call, whose messages the answer awaits, or a stream, which ends with the call. */
export interface StreamArgument {
  sent?(): Promise<void> | undefined
  fail?(reason?: BusError): void
}

/** Opens the declared channels and streams among the arguments of a call, in place of their references. Returns both. */
export function receiveArguments({ channels, params }: RequestMessage, streams: Streams): StreamArgument[] {
  const args = params as Record<string, unknown>
  const received: StreamArgument[] = []
  for (const [name, id] of Object.entries(channels ?? {})) {
    if (args[name] === toChannelReference(id)) {
      const sender = streams.open(id)
      received.push(sender)
      args[name] = createSender(sender)
    } else if (args[name] === toStreamReference(id)) {
      const receiver = streams.receive(id, new StreamReceiver(), true)
      received.push(receiver)
      args[name] = new ReceivedStream(receiver)
    }
  }
  return received
}

/** A frozen object of its own: scripts that share a thread must have nothing in common that they can change. */
function createSender(stream: StreamSender): ChannelSender {
  const sender = Object.freeze({ send: (message: unknown) => stream.send(message), end: () => stream.end() })
  collected.register(sender, stream)
  return sender
}
