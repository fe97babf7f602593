// Writes frames into a ring, in order. What does not fit waits here, never in a loop; a frame that is large for the ring
// goes in parts, so that the other side reads one while the next is written.
import { MAX_ATTACHED_BYTES } from './bounds.js'
import { BusError } from './error.js'
import type { Frame } from './frame.js'
import { HEADER_BYTES } from './ring.js'
import type { RingWriter } from './ring-writer.js'

/** The bytes of a body at most: the largest attachment, and room for a record's header and tag around it. */
export const MAX_RING_BODY: number = MAX_ATTACHED_BYTES + 4096

export class RingSender {
  readonly #writer: RingWriter
  /** Bytes of one part at most. */
  readonly #part: number
  /** Frames that wait for room, from `#next` on; the first one's body may be what is left of it. */
  #waiting: Frame[] = []
  #next = 0

  constructor(writer: RingWriter) {
    this.#writer = writer
    this.#part = (writer.size >> 2) - HEADER_BYTES
  }

  get idle(): boolean {
    return this.#waiting.length === 0
  }

  /** @throws BusError `InvalidParams` where the frame is too large, `InvalidRequest` where the peer broke the ring */
  send({ kind, body }: Frame): void {
    if (typeof body !== 'string') this.#sendBytes(kind, body)
    else if (body.length * 3 > this.#part) this.#sendBytes(kind, Buffer.from(body))
    else if (!this.idle || !this.#writeText(kind, body)) this.#wait({ kind, body })
    this.#writer.wake()
  }

  /** Wakes the peer where it sleeps: for frames or for room. */
  wake(): void {
    this.#writer.wake()
  }

  #sendBytes(kind: Frame['kind'], body: Uint8Array): void {
    const size = body.byteLength
    if (size > MAX_RING_BODY) throw new BusError('InvalidParams', `A frame of ${size} bytes is over the limit`)
    const left = this.idle ? this.#writeBytes(kind, body) : body
    // A copy, because the caller may change the bytes that it gave.
    if (left) this.#wait({ kind, body: new Uint8Array(left) })
  }

  /** A frame must not wait unless the consumer knows: so it is asked for room, and then looked for once more. */
  #wait(frame: Frame): void {
    if (this.#waiting.push(frame) === 1) this.#write()
  }

  /** Writes what waits, as far as there is room; `true` where something was written. */
  flush(): boolean {
    if (this.idle || !this.#write()) return false
    this.#writer.wake()
    return true
  }

  #write(): boolean {
    let wrote = false
    let asked = false
    while (this.#next < this.#waiting.length) {
      const { kind, body } = this.#waiting[this.#next]!
      const left =
        typeof body !== 'string' ? this.#writeBytes(kind, body) : this.#writeText(kind, body) ? undefined : body
      if (left !== body) wrote = true
      if (left === undefined) {
        this.#waiting[this.#next++] = undefined as never
        continue
      }
      this.#waiting[this.#next] = { kind, body: left }
      if (asked) return wrote
      this.#writer.want()
      asked = true
    }
    this.#waiting = []
    this.#next = 0
    return wrote
  }

  #writeText(kind: Frame['kind'], text: string): boolean {
    const at = this.#writer.reserve(text.length * 3)
    if (at < 0) return false
    this.#writer.publish(kind, this.#writer.bytes.write(text, at, text.length * 3), 0)
    return true
  }

  /** What there was no room for. */
  #writeBytes(kind: Frame['kind'], body: Uint8Array): Uint8Array | undefined {
    const size = body.byteLength
    let from = 0
    do {
      const length = Math.min(size - from, this.#part)
      const at = this.#writer.reserve(length)
      if (at < 0) return from === 0 ? body : body.subarray(from)
      this.#writer.bytes.set(length === size ? body : body.subarray(from, from + length), at)
      from += length
      this.#writer.publish(kind, length, size - from)
    } while (from < size)
    return undefined
  }
}
