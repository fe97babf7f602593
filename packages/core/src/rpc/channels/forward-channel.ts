// Channels among the arguments of a call to a frontend: what the frontend sends is passed on, no faster than it is read.
import type { Channel as ReceivingChannel } from '@sallyport/frontend/internal'
import type { ReceivedStream } from '@sallyport/protocol/internal/rpc'
import { getMovableBuffers } from '../../api/transfer.js'
import { ChannelHandle } from './channel-handle.js'

/** Where messages of a frontend go: to a client that passed its channel to core, or to a channel that was created in core. */
export interface ChannelTarget {
  /** Resolves when there is room for the next message. */
  send(message: unknown): Promise<void>
  end(): void
  /** Calls `stop` once the channel has no reader any more. */
  onClosed(stop: () => void): void
}

export const isChannel = (value: unknown): value is ChannelHandle | ReceivingChannel =>
  typeof value === 'object' && value !== null && (value instanceof ChannelHandle || isReceivingChannel(value))

export const toChannelTarget = (channel: ChannelHandle | ReceivingChannel): ChannelTarget =>
  channel instanceof ChannelHandle ? toHandleTarget(channel) : toLocalTarget(channel)

/** Never rejects. */
export async function forwardChannel(stream: ReceivedStream, target: ChannelTarget): Promise<void> {
  target.onClosed(() => void stream.return())
  try {
    for await (const message of stream) await target.send(message)
  } catch {
    // The frontend has ended, or the reader.
  }
  target.end()
}

const toHandleTarget = (handle: ChannelHandle): ChannelTarget => ({
  send: message => {
    const transfer = getMovableBuffers(message)
    return handle.send(message, transfer.length > 0 ? { transfer } : undefined)
  },
  end: () => handle.end(),
  onClosed: stop => handle.signal.addEventListener('abort', stop, { once: true }),
})

/** The class itself is the frontend's, which core does not load. */
const isReceivingChannel = (value: object): value is ReceivingChannel =>
  'onmessage' in value && typeof (value as { renew?: unknown }).renew === 'function'

/** A channel of this thread gets one message at a time. */
function toLocalTarget(channel: ReceivingChannel): ChannelTarget {
  const internal = channel as unknown as LocalChannel
  let wasRead = (): void => {}
  let closed = (): void => {}
  const close = (): void => {
    wasRead()
    closed()
  }
  internal.renew()
  internal.constructor.bind(internal, { credit: () => wasRead(), close, forget: close })
  return {
    send: message =>
      new Promise(resolve => {
        wasRead = resolve
        internal.receive({ message })
        internal.receive({ credit: 1 })
      }),
    end: () => internal.finish(),
    onClosed: stop => (closed = stop),
  }
}

/** The internal members of a frontend's channel. */
interface LocalChannel {
  readonly constructor: { bind(channel: LocalChannel, owner: object): void }
  renew(): void
  receive(params: { message: unknown } | { credit: number }): void
  finish(): void
}
