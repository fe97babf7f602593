// What is posted on the port of a link, and what may come: an ArrayBuffer with a frame in it; the number of its kind and then
// its bytes alone for an attachment, which so needs no copy; or a list of these, of what belongs together.
import { BUFFER_COST, MAX_ATTACHED_BYTES, MIN_ATTACHMENT_BYTES } from './bounds.js'
import { FRAME_KIND, isAlone, readFrame, writeFrame, type Frame } from './frame.js'
import type { ReceivedFrame } from './link.js'
import { isArrayBuffer } from './own-bytes.js'

export type Post = ArrayBuffer | (number | ArrayBuffer)[]

/** As many attachments as a frame can have, a number before each, and the frame. */
const MAX_LIST: number = 2 * (MAX_ATTACHED_BYTES / MIN_ATTACHMENT_BYTES) + 1

const NONE = -1

/** What a post costs of the window; less than 0 for what is none, as far as can be told without reading it. */
export function costOf(post: unknown): number {
  if (isArrayBuffer(post)) return post.byteLength + BUFFER_COST
  if (post === FRAME_KIND.bytes) return BUFFER_COST
  if (!Array.isArray(post) || post.length > MAX_LIST) return NONE
  let cost = BUFFER_COST
  for (let i = 0; i < post.length; i++) {
    const item: unknown = post[i]
    if (isArrayBuffer(item)) cost += item.byteLength + BUFFER_COST
    else if (item !== FRAME_KIND.bytes) return NONE
  }
  return cost
}

/** Gathers frames into posts. */
export class PostWriter {
  /** What waits for the frame that it belongs to. */
  #held: (number | ArrayBuffer)[] = []

  /** None where this belongs to what is sent next. */
  write(frame: Frame): Post | undefined {
    const { kind, body, more } = frame
    if (kind === FRAME_KIND.bytes && typeof body !== 'string') {
      this.#held.push(kind, isAlone(body, 0) ? body.buffer : new Uint8Array(body).buffer)
      return undefined
    }
    const bytes = writeFrame(frame)
    if (this.#held.length === 0 && !more) return bytes
    this.#held.push(bytes)
    if (more) return undefined
    const list = this.#held
    this.#held = []
    return list
  }
}

/** Makes frames of what comes. */
export class PostReader {
  /** The next ArrayBuffer is an attachment. */
  #attaching = false

  /** The frame; `undefined` for the number before an attachment, and `null` for what is no frame. */
  read(item: number | ArrayBuffer, more: boolean): ReceivedFrame | undefined | null {
    if (!isArrayBuffer(item)) {
      if (this.#attaching) return null
      this.#attaching = true
      return undefined
    }
    const bytes = new Uint8Array(item)
    let frame: ReceivedFrame | undefined
    if (this.#attaching) {
      this.#attaching = false
      frame = { kind: FRAME_KIND.bytes, body: bytes }
    } else {
      frame = readFrame(bytes)
      if (!frame || frame.kind === FRAME_KIND.bytes) return null
    }
    if (more) frame.more = true
    return frame
  }
}
