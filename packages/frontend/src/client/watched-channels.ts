// The channels of calls with an idle deadline. What arrives on a channel, and what its reader reads, extends the deadline.
import type { CallProgress, ChannelParams } from '@sallyport/protocol/internal/message'

interface WatchedChannel {
  readonly calls: Set<CallProgress>
  /** How often core has asked for credit that the reader has not given: core might wait for the reader. */
  unanswered: number
}

/** The watched channels of one connection, by id. */
export class WatchedChannels {
  readonly #channels = new Map<number, WatchedChannel>()

  /** Lets the messages of a channel extend the deadline of a call. */
  watch(id: number, progress: CallProgress): void {
    const channel = this.#channels.get(id) ?? { calls: new Set(), unanswered: 0 }
    this.#channels.set(id, channel)
    channel.calls.add(progress)
    progress.addReader(() => channel.unanswered > 0)
    progress.onEnd(() => {
      channel.calls.delete(progress)
      if (channel.calls.size === 0 && this.#channels.get(id) === channel) this.#channels.delete(id)
    })
  }

  received(params: ChannelParams): void {
    const channel = this.#channels.get(params.channel)
    if (!channel) return
    if ('credit' in params) channel.unanswered++
    else if ('end' in params) this.closed(params.channel)
    record(channel)
  }

  /** The reader has given credit. */
  credited(id: number): void {
    const channel = this.#channels.get(id)
    if (!channel) return
    channel.unanswered = Math.max(0, channel.unanswered - 1)
    record(channel)
  }

  /** The channel has ended, or its reader reads no more. */
  closed(id: number): void {
    const channel = this.#channels.get(id)
    if (channel) channel.unanswered = 0
    this.#channels.delete(id)
  }
}

function record({ calls }: WatchedChannel): void {
  for (const progress of calls) progress.record()
}
