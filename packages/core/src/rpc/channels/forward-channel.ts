// Channels among the arguments of a call to a frontend: that of another frontend, to which core passes on the messages, no faster than they are
// read, or one of this thread, which takes them itself.
import type { Channel as ReceivingChannel } from '@sallyport/frontend/internal'
import { SENT, StreamReceiver } from '@sallyport/protocol/internal/rpc'
import { getMovableBuffers } from '../../api/transfer.js'
import { ChannelHandle } from './channel-handle.js'

export const isChannel = (value: unknown): value is ChannelHandle | ReceivingChannel =>
  typeof value === 'object' && value !== null && (value instanceof ChannelHandle || isReceivingChannel(value))

/** The class itself is the frontend's, which core does not load. */
const isReceivingChannel = (value: object): value is ReceivingChannel =>
  'onmessage' in value && typeof (value as { renew?: unknown }).renew === 'function'

/** Returns what takes the messages for a channel. */
export function toReceiver(channel: ChannelHandle | ReceivingChannel): StreamReceiver {
  if (channel instanceof ChannelHandle) return createForwarder(channel)
  const internal = channel as unknown as LocalChannel
  internal.renew()
  return internal.constructor.getReceiver(internal)
}

/** The internal members of a frontend's channel. */
interface LocalChannel {
  readonly constructor: { getReceiver(channel: LocalChannel): StreamReceiver }
  renew(): void
}

function createForwarder(handle: ChannelHandle): StreamReceiver {
  const receiver = new StreamReceiver()
  const sender = ChannelHandle.getSender(handle)
  let isWaiting = false
  const goOn = (): void => {
    isWaiting = false
    receiver.arrived!()
  }
  receiver.arrived = (): void => {
    while (!isWaiting && receiver.hasMessages) {
      const message = receiver.take()
      const transfer = getMovableBuffers(message)
      const sent = sender.send(message, transfer.length > 0 ? transfer : undefined)
      if (sent === SENT) continue
      isWaiting = true
      sent.then(goOn, () => {
        isWaiting = false
        receiver.close()
      })
    }
    if (!isWaiting && receiver.hasEnded) handle.end()
  }
  handle.signal.addEventListener('abort', () => receiver.close(), { once: true })
  return receiver
}
