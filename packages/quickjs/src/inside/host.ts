// The functions of the script host, without which nothing leads out of a VM; and TextEncoder and TextDecoder, which need them. The client's files
// use these when they are evaluated, so this file comes first.
import type { Frame } from '@sallyport/protocol/internal/wire'

interface Holder {
  /** Takes an operation and its value as JSON, and bytes. */
  send(text: string, bytes?: ArrayBuffer): unknown
  /** Takes a frame for core: JSON, or bytes of another kind. Returns true if the link has no room for more. */
  sendFrame(body: string | ArrayBuffer, kind?: number): unknown
}

const holder = globalThis as { __sallyport?: Holder }
const { send, sendFrame: sendBody } = holder.__sallyport!
delete holder.__sallyport

export const sendFrame = ({ kind, body }: Frame): unknown =>
  typeof body === 'string' ? sendBody(body) : sendBody(body.slice().buffer as ArrayBuffer, kind)

/** @throws {Error} whose message is the host's error as JSON */
export const convert = (operation: string, value?: unknown, bytes?: Uint8Array): unknown =>
  send(`${operation} ${JSON.stringify(value) ?? 'null'}`, bytes && (bytes.slice().buffer as ArrayBuffer))

/** The text is no JSON, in which a large one would be twice as long. */
const encodeText = (text: string): Uint8Array =>
  send(`encode ${(text as string & { toWellFormed(): string }).toWellFormed()}`) as Uint8Array

class TextEncoder {
  get encoding(): string {
    return 'utf-8'
  }

  encode(text: unknown = ''): Uint8Array {
    return encodeText(String(text))
  }

  encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
    const all = this.encode(text)
    if (all.length <= target.length) {
      target.set(all)
      return { read: text.length, written: all.length }
    }
    let [read, written] = [0, 0]
    for (const character of text) {
      const bytes = this.encode(character)
      if (written + bytes.length > target.length) break
      target.set(bytes, written)
      read += character.length
      written += bytes.length
    }
    return { read, written }
  }
}

class TextDecoder {
  readonly encoding: string
  readonly fatal: boolean
  readonly ignoreBOM: boolean
  /** Bytes of a character that is not complete. */
  #rest = new Uint8Array()

  constructor(
    label: unknown = 'utf-8',
    { fatal = false, ignoreBOM = false }: { fatal?: unknown; ignoreBOM?: unknown } = {},
  ) {
    this.fatal = Boolean(fatal)
    this.ignoreBOM = Boolean(ignoreBOM)
    // That of the client's own files is created before there is a host.
    this.encoding = label === 'utf-8' ? label : (convert('encoding', String(label)) as string)
    if (this.encoding === '') throw new RangeError(`The encoding ${JSON.stringify(label)} is not supported`)
  }

  decode(input?: ArrayBuffer | ArrayBufferView, { stream = false }: { stream?: unknown } = {}): string {
    const view =
      input === undefined
        ? new Uint8Array()
        : ArrayBuffer.isView(input)
          ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
          : new Uint8Array(input)
    const bytes = new Uint8Array(this.#rest.length + view.length)
    bytes.set(this.#rest)
    bytes.set(view, this.#rest.length)
    const end = stream && this.encoding === 'utf-8' ? findCompleteEnd(bytes) : bytes.length
    this.#rest = bytes.slice(end)
    const [text]: [string | null] = JSON.parse(
      convert('decode', [this.encoding, this.fatal, this.ignoreBOM], bytes.subarray(0, end)) as string,
    )
    if (text === null) throw new TypeError('The encoded data was not valid')
    return text
  }
}

/** Returns the end of the last complete character of UTF-8. */
function findCompleteEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

for (const [name, value] of Object.entries({ TextEncoder, TextDecoder }))
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false })
