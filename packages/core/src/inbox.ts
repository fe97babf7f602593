// From a frame to the messages in it: open, where the frontend is isolated, then decode. Whatever fails here closes the
// session.
import { BatchReader, BusError, FRAME_KIND, recordRefused, type Opener, type ReceivedFrame } from '@sallyport/protocol'

export class Inbox {
  readonly #opener: Opener | undefined
  readonly #reader = new BatchReader()

  constructor(opener: Opener | undefined) {
    this.#opener = opener
  }

  /** The messages of a frame: none of one that holds an attachment. @throws BusError `InvalidRequest` or `ParseError` */
  read(frame: ReceivedFrame): readonly unknown[] {
    if (!this.#opener) return this.#reader.read(frame.kind, frame.body)
    // Nothing in clear is taken in the isolation pattern.
    if (frame.kind !== FRAME_KIND.sealed) throw recordRefused()
    const { kind, body, count } = this.#opener.open(frame.body)
    const messages = this.#reader.read(kind, body)
    if (messages.length !== count) throw new BusError('InvalidRequest', 'The record’s count is not that of its batch')
    return messages
  }
}
