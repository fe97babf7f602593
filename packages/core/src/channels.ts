// The channels of one frontend. A channel comes in as a reference among the top-level arguments of a call, and takes its
// place there.
import { parseChannelReference, type ChannelParams } from '@sallyport/protocol'
import { SendingChannel } from './channel.js'

export class ChannelTable {
  readonly #open = new Map<number, SendingChannel>()
  readonly #post: (params: ChannelParams) => void

  constructor(post: (params: ChannelParams) => void) {
    this.#post = post
  }

  /** The arguments, with each reference replaced by its channel. Nothing is copied where there is none. */
  bind(args: unknown): unknown {
    if (typeof args !== 'object' || args === null || args instanceof Uint8Array) return args
    const named = args as Record<string, unknown>
    for (const key of Object.keys(named)) {
      const id = parseChannelReference(named[key])
      if (id !== undefined) named[key] = this.#channel(id)
    }
    return args
  }

  credit(id: number, messages: number): void {
    this.#open.get(id)?.credit(messages)
  }

  /** Ends the channels among these arguments: the call that they were for has failed. */
  endAll(args: unknown): void {
    if (typeof args !== 'object' || args === null) return
    for (const value of Object.values(args)) if (value instanceof SendingChannel) value.end()
  }

  abandonAll(why: string): void {
    for (const channel of this.#open.values()) channel.abandon(why)
    this.#open.clear()
  }

  #channel(id: number): SendingChannel {
    let channel = this.#open.get(id)
    if (!channel) {
      channel = new SendingChannel(id, this.#post, () => this.#open.delete(id))
      this.#open.set(id, channel)
    }
    return channel
  }
}
