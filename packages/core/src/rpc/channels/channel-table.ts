// The open channels of one session, and the streams among the arguments of its calls. A frontend declares both among the top-level
// arguments of a call.
import { BusError } from '@sallyport/protocol/internal/errors'
import {
  type CallChannels,
  type CallHeaders,
  parseChannelReference,
  STREAM_HEADER,
  toStreamReference,
} from '@sallyport/protocol/internal/message'
import { ReceivedStream, type StreamCaller } from '@sallyport/protocol/internal/rpc'
import { CHANNEL_READ_AHEAD, MAX_CHANNELS } from '@sallyport/protocol/internal/wire'
import type { CallChannel } from './channel.js'
import { type ChannelWriter, SendingChannel } from './sending-channel.js'

/** A stream among the arguments of a call, which ends with the call. */
class CallStream implements CallChannel {
  isOpen = true
  readonly #stream: ReceivedStream
  readonly #closed: () => void

  constructor(stream: ReceivedStream, closed: () => void) {
    this.#stream = stream
    this.#closed = closed
    ReceivedStream.whenOver(stream, () => (this.isOpen = false))
  }

  end(): void {
    this.abandon()
  }

  fail(): void {
    this.abandon()
  }

  release(): void {
    this.abandon()
  }

  abandon(_message?: string, reason?: BusError): void {
    this.#closed()
    ReceivedStream.end(this.#stream, reason)
  }
}

export class ChannelTable {
  readonly #open = new Map<number, SendingChannel>()
  readonly #writer: ChannelWriter
  readonly #caller: StreamCaller
  readonly #readAhead: number
  readonly #getTotal: () => number
  readonly #lost: (error: BusError) => void
  /** The streams of calls in flight. */
  readonly #streams = new Set<ReceivedStream>()

  /**
   * @param getTotal - returns the size of this table, with those of other sessions that share the limit
   * @param lost - is called with the error of a message that cannot be serialized
   */
  constructor(
    writer: ChannelWriter,
    caller: StreamCaller,
    readAhead: number = CHANNEL_READ_AHEAD,
    getTotal: () => number = () => this.size,
    lost: (error: BusError) => void = () => {},
  ) {
    this.#lost = lost
    this.#getTotal = getTotal
    this.#caller = caller
    this.#writer = writer
    this.#readAhead = readAhead
  }

  /** Number of open channels and streams. */
  get size(): number {
    return this.#open.size + this.#streams.size
  }

  /**
   * Replaces the references of declared channels and streams in `args`. Returns those that this call opened.
   *
   * @throws {BusError} `Overloaded`
   */
  bind(args: unknown, declared: CallChannels): readonly CallChannel[] {
    const members = args as Record<string, unknown>
    const entries = Object.entries(declared)
    const channels = entries.filter(([name, id]) => members[name] !== toStreamReference(id))
    const unopened = new Set(channels.map(([, id]) => id).filter(id => !this.#open.has(id)))
    const streamCount = entries.length - channels.length
    if (this.#getTotal() + unopened.size + streamCount > MAX_CHANNELS) throw createLimitError()
    const opened: CallChannel[] = Array.from(unopened, id => this.#create(id))
    for (const [name, id] of channels) members[name] = this.#open.get(id)!.createHandle()
    if (streamCount === 0) return opened
    for (const [name, id] of entries) {
      if (members[name] !== toStreamReference(id)) continue
      const stream = new ReceivedStream(id, this.#caller)
      this.#streams.add(stream)
      opened.push(new CallStream(stream, () => this.#streams.delete(stream)))
      members[name] = stream
    }
    return opened
  }

  /** Opens the channel of a call that wants a stream, or ends `opened`, the call's other channels. @throws {BusError} */
  openStream(headers: CallHeaders, opened: readonly CallChannel[]): SendingChannel | undefined {
    const reference = headers[STREAM_HEADER]
    if (reference === undefined) return undefined
    const id = parseChannelReference(reference)
    const isFull = this.#getTotal() >= MAX_CHANNELS
    if (!isFull && id !== undefined && !this.#open.has(id)) return this.#create(id)
    for (const channel of opened) channel.end()
    if (isFull) throw createLimitError()
    throw new BusError('InvalidRequest', `The header ${STREAM_HEADER} must refer to a channel that is not open yet`)
  }

  close(id: number): void {
    this.#open.get(id)?.abandon(`The frontend closed channel ${id}`)
  }

  credit(id: number, bytes: number): void {
    this.#open.get(id)?.credit(bytes)
  }

  abandonAll(reason: string): void {
    for (const channel of this.#open.values()) channel.abandon(reason)
    this.#open.clear()
  }

  #create(id: number): SendingChannel {
    const closed = (): void => void this.#open.delete(id)
    const channel = new SendingChannel(id, this.#writer, this.#readAhead, closed, this.#lost)
    this.#open.set(id, channel)
    return channel
  }
}

const createLimitError = (): BusError =>
  new BusError('Overloaded', `More than ${MAX_CHANNELS} channels and streams of one frontend are open`)
