// From the frames of a link to the messages in them. Attachments come before the frame that they belong to and wait here
// for it, up to a bound: other frames may come in between, because a gate's rejections travel by a link of their own.
import { readBatch } from '../codec/codecs.js'
import { BusError } from '../errors/bus-error.js'
import { FRAME_KIND, ownsWholeBuffer } from '../wire/frame.js'
import { MAX_ATTACHED_BYTES, MIN_ATTACHMENT_BYTES } from '../wire/limits.js'

const NONE: readonly never[] = []

export class BatchReader {
  readonly #trusted: boolean
  #attachments: Uint8Array[] = []
  #bytes = 0

  /** @param trusted from core: see `Codec.decode` */
  constructor(trusted = false) {
    this.#trusted = trusted
  }

  /**
   * The messages in a frame's body, not yet checked to be JSON-RPC; none in an attachment.
   *
   * @throws BusError what `readBatch` throws, `InvalidRequest` for an attachment out of bounds
   */
  read(kind: number, body: Uint8Array): readonly unknown[] {
    if (kind === FRAME_KIND.bytes) return this.#keep(body)
    if (kind !== FRAME_KIND.msgpack || this.#bytes === 0) return readBatch(kind, body, this.#trusted)
    const attachments = this.#attachments
    this.#attachments = []
    this.#bytes = 0
    return readBatch(kind, body, this.#trusted, attachments)
  }

  #keep(body: Uint8Array): readonly never[] {
    this.#bytes += body.byteLength
    // The least size bounds their number too.
    if (body.byteLength < MIN_ATTACHMENT_BYTES || this.#bytes > MAX_ATTACHED_BYTES) {
      throw new BusError('InvalidRequest', 'Invalid Request: an attachment is out of bounds')
    }
    // Whoever is given these bytes may give them away: nothing else may be in their buffer.
    this.#attachments.push(new Uint8Array(ownsWholeBuffer(body, 0) ? body.buffer : body))
    return NONE
  }
}
