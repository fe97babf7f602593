// The channels and streams among the arguments of an exposed function.
import { type RequestMessage, toChannelReference, toStreamReference } from '../message/message.js'
import { ReceivedStream, StreamReceiver } from './stream-receiver.js'
import type { StreamSender } from './stream-sender.js'
import type { Streams } from './streams.js'

/** A channel among the arguments of an exposed function. */
export interface ChannelSender<T = unknown> {
  /**
   * Sends the message as it is now. Resolves when there is room for the next one: at most 1 MiB is in flight until the reader has read some. The
   * result of the call leaves after it. A sender that does not wait queues up to 65 536 messages, or 64 MiB.
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

/** Opens the declared channels and streams among the arguments of a call, in place of their references. Returns the streams. */
export function receiveArguments({ channels, params }: RequestMessage, streams: Streams): StreamReceiver[] {
  const args = params as Record<string, unknown>
  const received: StreamReceiver[] = []
  for (const [name, id] of Object.entries(channels ?? {})) {
    if (args[name] === toChannelReference(id)) args[name] = createSender(streams.open(id))
    else if (args[name] === toStreamReference(id)) {
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
