// Blob, File and FormData of a script in QuickJS that has a network, and the form of the latter in a body (RFC 7578).
import { concatBytes } from '@sallyport/protocol/internal/util'
import { PairList, URLSearchParams } from './pairs.js'
import { ReadableStream } from './readable-stream.js'

let getBytes: (blob: Blob) => Uint8Array

const toPart = (part: unknown): Uint8Array => {
  if (part instanceof Blob) return getBytes(part)
  if (part instanceof ArrayBuffer) return new Uint8Array(part)
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
  return new TextEncoder().encode(String(part))
}

export class Blob {
  readonly #bytes: Uint8Array
  readonly #type: string

  static {
    getBytes = blob => blob.#bytes
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

function toValue(value: unknown, filename?: unknown): string | File {
  if (!(value instanceof Blob)) return String(value)
  if (value instanceof File && filename === undefined) return value
  const { type } = value
  const { lastModified } = value as { lastModified?: number }
  return new File([value], filename ?? 'blob', { type, lastModified })
}

export class FormData extends PairList<string | File> {
  constructor(form?: unknown) {
    super(toValue)
    if (form !== undefined)
      throw new TypeError('FormData: a script has no forms. Call the constructor without arguments')
  }

  get [Symbol.toStringTag](): string {
    return 'FormData'
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const escape = (name: string): string =>
  name
    .replace(/\r\n|[\r\n]/g, '\r\n')
    .replaceAll('\n', '%0A')
    .replaceAll('\r', '%0D')
    .replaceAll('"', '%22')

/** Returns the bytes of a form, and their type. */
export function encodeForm(form: FormData): [bytes: Uint8Array, type: string] {
  const boundary = `----formdata-${crypto.randomUUID()}`
  const chunks: Uint8Array[] = []
  for (const [name, value] of form) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escape(name)}"`
    if (typeof value === 'string') {
      chunks.push(encode(`${head}\r\n\r\n${value.replace(/\r\n|[\r\n]/g, '\r\n')}\r\n`))
      continue
    }
    const type = value.type || 'application/octet-stream'
    chunks.push(encode(`${head}; filename="${escape(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`))
    chunks.push(getBytes(value), encode('\r\n'))
  }
  chunks.push(encode(`--${boundary}--\r\n`))
  return [concatBytes(chunks), `multipart/form-data; boundary=${boundary}`]
}

/** @throws {TypeError} if the bytes are not a form of that type */
export function decodeForm(bytes: Uint8Array, type: string): FormData {
  const form = new FormData()
  if (/^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) {
    for (const [name, value] of new URLSearchParams(new TextDecoder().decode(bytes))) form.append(name, value)
    return form
  }
  const [, quoted, plain] = /^\s*multipart\/form-data\s*;.*?\bboundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type) ?? []
  const boundary = quoted ?? plain
  if (boundary === undefined) throw new TypeError(`Response.formData: the content type is ${JSON.stringify(type)}`)
  // A character for each byte, so that places in the text are those of the bytes.
  const text = toLatin1(bytes)
  const mark = `\r\n--${boundary}`
  const isStart = text.startsWith(mark.slice(2))
  let at = isStart ? mark.length - 2 : text.indexOf(mark) + mark.length
  if (!isStart && at < mark.length) throw createFormError()
  while (!text.startsWith('--', at)) {
    const start = text.indexOf('\r\n\r\n', at)
    const end = text.indexOf(mark, start)
    if (!text.startsWith('\r\n', at) || start < 0 || end < 0) throw createFormError()
    addPart(form, new TextDecoder().decode(bytes.slice(at, start)), bytes.slice(start + 4, end))
    at = end + mark.length
  }
  return form
}

function addPart(form: FormData, head: string, content: Uint8Array): void {
  const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(head)?.[1] ?? ''
  const find = (key: string): string | undefined => {
    const value = new RegExp(`(?:^|[;\\s])${key}="([^"]*)"`, 'i').exec(disposition)?.[1]
    return value?.replace(/%0A|%0D|%22/gi, code => decodeURIComponent(code))
  }
  const name = find('name')
  if (name === undefined) throw createFormError()
  const filename = find('filename')
  if (filename === undefined) return form.append(name, new TextDecoder().decode(content))
  const type = /^content-type:\s*(.*?)\s*$/im.exec(head)?.[1] ?? 'text/plain'
  form.append(name, new File([content], filename, { type }))
}

function toLatin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096))
  return text
}

const createFormError = (): TypeError => new TypeError('Response.formData: the body is not a form')
