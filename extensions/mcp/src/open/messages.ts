// Messages of servers of others: bounded before a parser sees them, and without what other SDKs write by mistake.
import { isObject } from '@sallyport/protocol/internal/util'
import { BodyBuffer } from '@sallyport/protocol/internal/wire'
import { parseBounded } from '../shared/parse.js'

const MAX_UNREQUESTED = 1000
const MAX_UNREQUESTED_BYTES = 8 * 2 ** 20
const PERIOD_MS = 1000
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/**
 * Returns the messages of a text: several, if it is a batch, which was a part of MCP until 2025-06-18.
 * @throws {RangeError} for too many levels, values or members; {SyntaxError} for what is no JSON, or an empty batch
 */
export function parseMessages(written: Buffer): unknown[] {
  const text = written.subarray(written.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0)
  const value = parseBounded(text)
  // Whoever counts messages would count none, again and again.
  if (Array.isArray(value) && value.length === 0) throw new SyntaxError('a batch has no messages')
  return (Array.isArray(value) ? value : [value]).map(withoutNulls)
}

const FIRST_BYTES = 2 ** 12

/** A message that arrives in parts, which can have one byte each: they wait in one memory. */
export class MessageBytes {
  readonly #body: BodyBuffer

  constructor(maxMessage: number) {
    this.#body = new BodyBuffer(maxMessage, 0, FIRST_BYTES)
  }

  /** Returns false if the message is too long. */
  add(part: Uint8Array): boolean {
    if (part.length > this.#body.missing) return false
    this.#body.reserve(part.length).set(part)
    return true
  }

  read(): Buffer {
    const { buffer, byteOffset, length } = this.#body.complete()
    return Buffer.from(buffer, byteOffset, length)
  }
}

/** The lines of a stream, of which each is a message. */
export class LineReader {
  readonly #maxMessage: number
  readonly #prefixLength: number
  /** That is not complete. */
  #line: MessageBytes | undefined

  /** @param prefixLength - bytes that a line can have beside its message */
  constructor(maxMessage: number, prefixLength = 0) {
    this.#maxMessage = maxMessage
    this.#prefixLength = prefixLength
  }

  /** Returns the lines that a chunk completes. @throws {RangeError} for a line that is too long */
  *read(chunk: Buffer): Generator<Buffer> {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      this.#add(chunk.subarray(start, end))
      const line = this.#line?.read()
      this.#line = undefined
      yield line ?? Buffer.alloc(0)
      start = end + 1
    }
    this.#add(chunk.subarray(start))
  }

  #add(part: Buffer): void {
    if (part.length === 0) return
    this.#line ??= new MessageBytes(this.#maxMessage + this.#prefixLength)
    if (!this.#line.add(part)) throw new RangeError(`it sent a message of more than ${this.#maxMessage} bytes`)
  }
}

/** The lines of a stream of events, which end with CR, LF, or both. */
export class EventLineReader {
  readonly #lines: LineReader
  #isAfterReturn = false

  constructor(maxMessage: number) {
    this.#lines = new LineReader(maxMessage, 'data: '.length)
  }

  /** Returns the lines that a chunk completes. @throws {RangeError} for a line that is too long */
  read(chunk: Buffer): Generator<Buffer> {
    // A character for each byte.
    const text = chunk.toString('latin1')
    const rest = this.#isAfterReturn && text.startsWith('\n') ? text.slice(1) : text
    this.#isAfterReturn = text.endsWith('\r')
    return this.#lines.read(Buffer.from(rest.replaceAll(/\r\n?/g, '\n'), 'latin1'))
  }
}

/** What a server sends without being asked, in a second. */
export class UnrequestedCount {
  #periodStart = 0
  #messages = 0
  #bytes = 0

  /** Returns false if it was one too many. */
  add(length: number): boolean {
    const now = performance.now()
    if (now - this.#periodStart >= PERIOD_MS) {
      this.#periodStart = now
      this.#messages = this.#bytes = 0
    }
    this.#messages += 1
    this.#bytes += length
    return this.#messages <= MAX_UNREQUESTED && this.#bytes <= MAX_UNREQUESTED_BYTES
  }
}

/** Members in which MCP has an object whose members are its own as well. */
const NESTED = new Set(['capabilities', 'serverInfo'])

/** Servers in Python and Rust write `null` for what is not set, where MCP has no `null`. Inside of what belongs to a tool it is a value. */
function withoutNulls(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return message
  const own = dropNulls(message)
  for (const key of ['result', 'params', 'error']) {
    const part = own[key]
    if (typeof part !== 'object' || part === null || Array.isArray(part)) continue
    own[key] = dropNulls(part, member => NESTED.has(member))
  }
  return own
}

function dropNulls(value: object, isNested: (key: string) => boolean = () => false): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== null)
      .map(([key, each]) => [key, isNested(key) && isObject(each) ? dropNulls(each, () => true) : each]),
  )
}
