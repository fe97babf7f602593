// The channels that a client has passed to calls and that have not ended: by their ids, as core speaks of them.
import { METHOD, type ChannelParams } from '@sallyport/protocol'
import { Channel, type ChannelHome } from './channel.js'

export class OpenChannels {
  readonly #open = new Map<number, Channel>()
  readonly #home: ChannelHome

  readonly #tell: (method: string, params: object, after?: number) => void

  /** @param tell sends a notification of the bus's own: `after` this call, where that still waits */
  constructor(tell: (method: string, params: object, after?: number) => void) {
    this.#tell = tell
    this.#home = {
      credit: (channel, messages) => tell(METHOD.credit, { channel, messages }),
      close: channel => tell(METHOD.closeChannel, { channel }),
      forget: channel => void this.#open.delete(channel),
    }
  }

  /** @param call that opens it in core: it can't be closed there before */
  adopt(channel: Channel, call: number): void {
    this.#open.set(channel.id, channel)
    const close = (id: number): void => this.#tell(METHOD.closeChannel, { channel: id }, call)
    Channel.bind(channel, { ...this.#home, close })
  }

  /** A channel is the call's that it came with first: with that call it ends, where the call fails. */
  unused(channels: readonly Channel[]): Channel[] {
    return channels.filter(({ id }) => !this.#open.has(id))
  }

  /**
   * What comes for a channel that has ended is dropped. Where a handler begins with one, it was passed on while core's end of
   * it was on its way here: that handler must not wait for a reader that it will never have.
   */
  receive(params: ChannelParams): void {
    const channel = this.#open.get(params.channel)
    if (channel) channel.receive(params)
    else if (params.index === 0 && !('end' in params)) this.#home.close(params.channel)
  }

  /** The link is gone. */
  finishAll(): void {
    finish([...this.#open.values()])
  }
}

/** Core ends the channels of a call that failed, or never had them. */
export function finish(channels: readonly Channel[]): void {
  for (const channel of channels) channel.finish()
}
