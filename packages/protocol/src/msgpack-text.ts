// Text out of a frame: the parser's hottest part. Short texts are cut out of one text of the whole frame, which costs a
// fourth of reading each; keys and methods, which repeat themselves, are looked up by their bytes and not made again.

/** Of longer ones V8 keeps a reference to the text they were cut from: those are read alone, or would keep the frame alive. */
const CUT_BYTES = 12
/** How far into a frame texts are cut. */
const FRAME_BYTES = 32 * 1024

export class TextReader {
  readonly #bytes: Buffer
  #frame = ''

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** What is not UTF-8 is read with replacement characters. */
  read(from: number, to: number): string {
    const bytes = this.#bytes
    if (to - from > CUT_BYTES || to > FRAME_BYTES) return bytes.toString('utf8', from, to)
    for (let at = from; at < to; at++) if (bytes[at]! >= 0x80) return bytes.toString('utf8', from, to)
    if (this.#frame === '') this.#frame = bytes.toString('latin1', 0, FRAME_BYTES)
    return this.#frame.slice(from, to)
  }

  /** The same, for a text that repeats itself, of a few bytes: one that is known is given again. */
  readName(from: number, to: number): string {
    const bytes = this.#bytes
    const length = to - from
    if (length === 0) return ''
    const slot = slotOf(length, bytes[from]!, bytes[from + (length >> 1)]!, bytes[to - 2]!, bytes[to - 1]!)
    const name = known[slot]!
    if (name.length === length) {
      let same = 0
      while (same < length && name.charCodeAt(same) === bytes[from + same]) same++
      if (same === length) return name
    }
    const read = this.read(from, to)
    // With as many characters as bytes, each is ASCII or a replacement, which equals no byte and is not found again.
    if (read.length === length) known[slot] = read
    return read
  }
}

const KNOWN = 1024
/** What senders choose has a bound: so many texts of 31 bytes. */
const known: string[] = Array.from({ length: KNOWN }, () => '')

/** Names mostly differ in these: their length, the first and the middle byte, and the last two (of one, its head counts). */
const slotOf = (length: number, first: number, middle: number, last: number, end: number): number =>
  (length * 37 + first * 131 + middle * 17 + last * 61 + end * 7) % KNOWN
