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
import {
  countStreams,
  ReceivedStream,
  StreamReceiver,
  type Streams,
  type StreamSender,
} from '@sallyport/protocol/internal/rpc'
import { CHANNEL_READ_AHEAD, MAX_CHANNELS } from '@sallyport/protocol/internal/wire'
import type { CallChannel } from './channel.js'
import { HeldChannel } from './channel-handle.js'

/** A stream among the arguments of a call, which ends with the call. */
class CallStream implements CallChannel {
  readonly #receiver: StreamReceiver

  constructor(receiver: StreamReceiver) {
    this.#receiver = receiver
  }

  get isOpen(): boolean {
    return !this.#receiver.hasEnded
  }

  end(): void {
    this.abandon()
  }

  release(): void {
    this.abandon()
  }

  abandon(_message?: string, reason?: BusError): void {
    this.#receiver.fail(reason)
  }
}

export class ChannelTable {
  readonly #streams: Streams
  readonly #held = new WeakMap<StreamSender, HeldChannel>()
  readonly #getTotal: () => number
  readonly #lost: (error: BusError) => void

  /**
   * @param getTotal - returns the number of open streams, with those of other sessions that share the limit
   * @param lost - is called with the error of a message that cannot be serialized
   */
  constructor(
    streams: Streams,
    getTotal: () => number = () => countStreams(streams),
    lost: (error: BusError) => void = () => {},
  ) {
    this.#lost = lost
    this.#getTotal = getTotal
    this.#streams = streams
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
    const { senders } = this.#streams
    const unopened = new Set(channels.map(([, id]) => id).filter(id => !senders.has(id)))
    const streamCount = entries.length - channels.length
    if (this.#getTotal() + unopened.size + streamCount > MAX_CHANNELS) throw createLimitError()
    const opened: CallChannel[] = Array.from(unopened, id => this.#hold(this.#create(id)))
    for (const [name, id] of channels) members[name] = this.#hold(senders.get(id)!).createHandle()
    if (streamCount === 0) return opened
    for (const [name, id] of entries) {
      if (members[name] !== toStreamReference(id)) continue
      const receiver = this.#streams.receive(id, new StreamReceiver(), true)
      opened.push(new CallStream(receiver))
      members[name] = new ReceivedStream(receiver)
    }
    return opened
  }

  /** Opens the channel of a call that wants a stream, or ends `opened`, the call's other channels. @throws {BusError} */
  openStream(headers: CallHeaders, opened: readonly CallChannel[]): StreamSender | undefined {
    const reference = headers[STREAM_HEADER]
    if (reference === undefined) return undefined
    const id = parseChannelReference(reference)
    const isFull = this.#getTotal() >= MAX_CHANNELS
    if (!isFull && id !== undefined && !this.#streams.senders.has(id)) return this.#create(id)
    for (const channel of opened) channel.end()
    if (isFull) throw createLimitError()
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

const createLimitError = (): BusError =>
  new BusError('Overloaded', `More than ${MAX_CHANNELS} channels and streams of one frontend are open`)
