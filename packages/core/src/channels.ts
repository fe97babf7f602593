// The channels of one frontend. A channel comes in as a reference among the top-level arguments of a call, and takes its
// place there.
import {
  BusError,
  MAX_CHANNELS,
  STREAM_HEADER,
  parseChannelReference,
  type CallHeaders,
  isUint8Array,
} from '@sallyport/protocol'
import { SendingChannel, type ChannelSender } from './channel.js'

export class ChannelTable {
  readonly #open = new Map<number, SendingChannel>()
  readonly #sender: ChannelSender

  constructor(sender: ChannelSender) {
    this.#sender = sender
  }

  /**
   * Puts channels in the place of their references in `args`, and gives those that this call has opened: with the call they
   * end, where it fails.
   *
   * @throws BusError `Overloaded` beyond the bound
   */
  bind(args: unknown): readonly SendingChannel[] {
    if (typeof args !== 'object' || args === null || isUint8Array(args)) return NONE
    const named = args as Record<string, unknown>
    let opened: SendingChannel[] | undefined
    for (const key of Object.keys(named)) {
      const id = parseChannelReference(named[key])
      if (id === undefined) continue
      let channel = this.#open.get(id)
      if (!channel) {
        if (this.#open.size >= MAX_CHANNELS) throw this.#overloaded(opened)
        channel = this.#create(id)
        ;(opened ??= []).push(channel)
      }
      named[key] = channel.handle()
    }
    return opened ?? NONE
  }

  /**
   * The channel of a call that wants a stream: one of its own.
   *
   * @throws BusError `InvalidRequest`, `Overloaded` beyond the bound; what the call has opened is closed again then
   */
  openStream(headers: CallHeaders, opened: readonly SendingChannel[]): SendingChannel | undefined {
    const reference = headers[STREAM_HEADER]
    if (reference === undefined) return undefined
    if (this.#open.size >= MAX_CHANNELS) throw this.#overloaded(opened)
    const id = parseChannelReference(reference)
    if (id !== undefined && !this.#open.has(id)) return this.#create(id)
    for (const channel of opened) channel.end()
    throw new BusError('InvalidRequest', `The header ${STREAM_HEADER} must refer to a channel that is not open yet`)
  }

  /** Nobody takes its messages any more. */
  close(id: number): void {
    this.#open.get(id)?.abandon(`The frontend has closed channel ${id}`)
  }

  credit(id: number, messages: number): void {
    this.#open.get(id)?.credit(messages)
  }

  abandonAll(why: string): void {
    for (const channel of this.#open.values()) channel.abandon(why)
    this.#open.clear()
  }

  #create(id: number): SendingChannel {
    const channel = new SendingChannel(id, this.#sender, () => this.#open.delete(id))
    this.#open.set(id, channel)
    return channel
  }

  /** A call that is refused has no channels: what it opened is closed again. */
  #overloaded(opened: readonly SendingChannel[] = NONE): BusError {
    for (const channel of opened) channel.end()
    return new BusError('Overloaded', `More than ${MAX_CHANNELS} channels of one frontend are open`)
  }
}

const NONE: readonly SendingChannel[] = []
