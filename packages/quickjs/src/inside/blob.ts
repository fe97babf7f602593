// Blob and File of a script in QuickJS that has a network.
import { concatBytes } from '@sallyport/protocol/internal/util'
import { ReadableStream } from './readable-stream.js'

const toPart = (part: unknown): Uint8Array => {
  if (part instanceof Blob) return getBytes(part)
  if (part instanceof ArrayBuffer) return new Uint8Array(part)
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
  return new TextEncoder().encode(String(part))
}

export class Blob {
  readonly #bytes: Uint8Array
  readonly #type: string

  static getBytes(blob: Blob): Uint8Array {
    return blob.#bytes
  }

  constructor(parts: Iterable<unknown> = [], { type = '' }: { type?: unknown } = {}) {
    if (typeof parts !== 'object' || parts === null || !(Symbol.iterator in parts))
      throw new TypeError('Blob: the parts must be an array')
    this.#bytes = concatBytes([...parts].map(toPart))
    this.#type = /^[ -~]*$/.test(String(type)) ? String(type).toLowerCase() : ''
  }

  get size(): number {
    return this.#bytes.length
  }

  get type(): string {
    return this.#type
  }

  slice(start?: number, end?: number, type: unknown = ''): Blob {
    return new Blob([this.#bytes.slice(start, end)], { type })
  }

  stream(): ReadableStream {
    return ReadableStream.from(this.size === 0 ? [] : [this.#bytes.slice()])
  }

  async bytes(): Promise<Uint8Array> {
    return this.#bytes.slice()
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer as ArrayBuffer
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(this.#bytes)
  }

  get [Symbol.toStringTag](): string {
    return 'Blob'
  }
}

export const getBytes: (blob: Blob) => Uint8Array = Blob.getBytes
Reflect.deleteProperty(Blob, 'getBytes')

export class File extends Blob {
  readonly name: string
  readonly lastModified: number

  constructor(
    parts: Iterable<unknown>,
    name: unknown,
    { type, lastModified }: { type?: unknown; lastModified?: unknown } = {},
  ) {
    super(parts, { type: type ?? '' })
    this.name = String(name)
    this.lastModified = lastModified === undefined ? Date.now() : Number(lastModified)
  }

  override get [Symbol.toStringTag](): string {
    return 'File'
  }
}
