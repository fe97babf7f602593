// From a frame to the messages in it: open, where the frontend is isolated, then decode. Whatever fails here closes the
// session.
import { BusError, FRAME_KIND, readBatch, type Opener, type ReceivedFrame } from '@sallyport/protocol'

/** @throws BusError `InvalidRequest` or `ParseError` */
export function readMessages(frame: ReceivedFrame, opener: Opener | undefined): readonly unknown[] {
  if (!opener) return readBatch(frame.kind, frame.body)
  if (frame.kind !== FRAME_KIND.sealed) {
    throw new BusError('InvalidRequest', 'In the isolation pattern core takes sealed records only')
  }
  const { kind, body, count } = opener.open(frame.body)
  const messages = readBatch(kind, body)
  if (messages.length !== count) throw new BusError('InvalidRequest', 'The record’s count is not that of its batch')
  return messages
}
