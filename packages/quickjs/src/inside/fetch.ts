// `fetch` of a script in QuickJS that has a network. The script host sends each request to the broker, which checks its host.
import { concatBytes, createDeferred } from '@sallyport/protocol/internal/util'
import type { AbortSignal } from './events.js'
import { Blob, decodeForm, encodeForm, File, FormData } from './form-data.js'
import { Headers, URLSearchParams } from './pairs.js'
import { createId, post, request as ask } from './port.js'
import { isDisturbed, ReadableStream } from './readable-stream.js'

/** What the host answers with. */
interface Head {
  readonly status: number
  readonly statusText: string
  readonly url: string
  readonly redirected: boolean
  readonly headers: [string, string][]
  readonly hasBody: boolean
}

/** Returns a body as a stream, and its type. */
function toStream(body: unknown): [stream: ReadableStream, type?: string] {
  if (body instanceof ReadableStream) return [body]
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return [new Blob([body]).stream()]
  if (body instanceof Blob) return body.type === '' ? [body.stream()] : [body.stream(), body.type]
  if (body instanceof FormData) {
    const [bytes, type] = encodeForm(body)
    return [ReadableStream.from([bytes]), type]
  }
  if (body instanceof URLSearchParams)
    return [new Blob([String(body)]).stream(), 'application/x-www-form-urlencoded;charset=UTF-8']
  if (typeof body === 'object' && Symbol.asyncIterator in (body as object))
    return [ReadableStream.from(body as AsyncIterable<unknown>)]
  if (typeof body === 'object' || typeof body === 'function') {
    const kinds = 'a string, bytes, URLSearchParams, Blob, FormData or ReadableStream'
    throw new TypeError(`The body must be ${kinds}. Use JSON.stringify for an object`)
  }
  return [new Blob([body]).stream(), 'text/plain;charset=UTF-8']
}

/** Reads a body to its end. @throws the reason of the signal once it aborts */
async function readBytes(stream: ReadableStream, signal?: AbortSignal | null): Promise<Uint8Array> {
  const reader = stream.getReader()
  const cancel = (reason: unknown): void => void reader.cancel(reason).catch(() => {})
  const abort = (): void => cancel(signal!.reason)
  signal?.addEventListener('abort', abort)
  try {
    const chunks: Uint8Array[] = []
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (!(next.value instanceof Uint8Array)) {
        cancel(undefined)
        throw new TypeError('Received non-Uint8Array chunk')
      }
      chunks.push(next.value)
    }
    signal?.throwIfAborted()
    return concatBytes(chunks)
  } finally {
    signal?.removeEventListener('abort', abort)
    reader.releaseLock()
  }
}

const isUsed = (stream: ReadableStream): boolean => stream.locked || isDisturbed(stream)
const TEE = Symbol('tee')

/** What a request and a response have in common. */
class Message {
  readonly headers: Headers
  #stream: ReadableStream | null = null

  constructor(body: unknown, headers: unknown) {
    this.headers = new Headers(headers ?? {})
    if (body === null || body === undefined) return
    const [stream, type] = toStream(body)
    if (isUsed(stream)) throw new TypeError('Body is unusable: it is locked, or has been read')
    if (type !== undefined && !this.headers.has('content-type')) this.headers.set('content-type', type)
    this.#stream = stream
  }

  /** Returns a body for a copy of the message. */
  [TEE](): ReadableStream | null {
    if (!this.#stream) return null
    if (isUsed(this.#stream)) throw new TypeError('clone: Body has already been consumed')
    const [first, second] = this.#stream.tee()
    this.#stream = first
    return second
  }

  get body(): ReadableStream | null {
    return this.#stream
  }

  get bodyUsed(): boolean {
    return this.#stream !== null && isDisturbed(this.#stream)
  }

  async bytes(): Promise<Uint8Array> {
    const stream = this.#stream
    if (!stream) return new Uint8Array()
    if (isUsed(stream)) throw new TypeError('Body is unusable: Body has already been read')
    return readBytes(stream)
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer as ArrayBuffer
  }

  async blob(): Promise<Blob> {
    return new Blob([await this.bytes()], { type: this.headers.get('content-type') ?? '' })
  }

  async formData(): Promise<FormData> {
    return decodeForm(await this.bytes(), this.headers.get('content-type') ?? '')
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes())
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text())
  }
}

interface RequestOptions {
  readonly method?: unknown
  readonly headers?: unknown
  readonly body?: unknown
  readonly redirect?: unknown
  readonly signal?: AbortSignal | null
}

class Request extends Message {
  readonly url: string
  readonly method: string
  readonly redirect: string
  readonly signal: AbortSignal | null

  constructor(input: unknown, init: RequestOptions = {}) {
    const base = input instanceof Request ? input : undefined
    const method = String(init.method ?? base?.method ?? 'GET')
    const body = init.body ?? base?.body
    if (body !== undefined && body !== null && /^(?:get|head)$/i.test(method))
      throw new TypeError('Request with GET/HEAD method cannot have body.')
    super(body, init.headers ?? base?.headers)
    this.url = base?.url ?? new URL(String(input)).href
    this.method = /^(?:delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method
    this.redirect = String(init.redirect ?? base?.redirect ?? 'follow')
    this.signal = init.signal === undefined ? (base?.signal ?? null) : init.signal
  }

  clone(): Request {
    const { url, method, redirect, signal, headers } = this
    return new Request(url, { method, redirect, signal, headers: [...headers], body: this[TEE]() })
  }
}

class Response extends Message {
  readonly status: number
  readonly statusText: string
  readonly type: string = 'default'
  readonly url: string = ''
  readonly redirected: boolean = false

  constructor(
    body: unknown = null,
    init: { readonly status?: unknown; readonly statusText?: unknown; readonly headers?: unknown } = {},
  ) {
    const status = Math.trunc(Number(init.status ?? 200))
    if (!(status >= 200 && status <= 599)) throw new RangeError('The status must be in the range of 200 to 599')
    if (body !== null && [204, 205, 304].includes(status))
      throw new TypeError(`A response with status ${status} cannot have a body`)
    super(body, init.headers)
    this.status = status
    this.statusText = String(init.statusText ?? '')
  }

  static json(value: unknown, init: { readonly headers?: unknown } = {}): Response {
    const headers = new Headers(init.headers ?? {})
    if (!headers.has('content-type')) headers.set('content-type', 'application/json')
    return new Response(JSON.stringify(value), { ...init, headers })
  }

  clone(): Response {
    const { status, statusText, headers, url, redirected, type } = this
    const copy = new Response(this[TEE](), { statusText, headers: [...headers] })
    return Object.assign(copy, { status, url, redirected, type })
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }
}

async function fetch(input: unknown, init?: RequestOptions): Promise<Response> {
  const message = new Request(input, init)
  const { url, method, redirect, headers, signal } = message
  signal?.throwIfAborted()
  const body = message.body ? await readBytes(message.body, signal) : undefined
  const id = createId()
  const aborted = createDeferred<never>()
  aborted.promise.catch(() => {})
  const abort = (): void => {
    post('abort-fetch', id)
    aborted.reject(signal!.reason)
  }
  signal?.addEventListener('abort', abort)
  const end = (): void => signal?.removeEventListener('abort', abort)
  waiting++
  try {
    const answer = ask('fetch', id, { url, method, redirect, headers: [...headers] }, body)
    const [head] = (await Promise.race([aborted.promise, answer])) as [Head, undefined]
    const { status, statusText, url: finalUrl, redirected, hasBody } = head
    if (!hasBody) end()
    const stream = hasBody ? ReadableStream.from(readBody(id, aborted.promise, end)) : null
    const response = new Response(stream, { statusText, headers: head.headers })
    return Object.assign(response, { status, url: finalUrl, redirected, type: 'basic' })
  } catch (error) {
    end()
    signal?.throwIfAborted()
    const { name, message: text } = error as Error
    throw name === 'TypeError' ? new TypeError(text) : error
  } finally {
    waiting--
  }
}

/** Requests that have no response. */
let waiting = 0
export const countRequests = (): number => waiting

/** Reads the body of a response as it arrives. */
async function* readBody(id: number, aborted: Promise<never>, end: () => void): AsyncGenerator<Uint8Array> {
  let isOver = false
  try {
    for (;;) {
      const [, chunk] = await Promise.race([aborted, ask('read', id)])
      if (!chunk) return void (isOver = true)
      yield chunk
    }
  } catch (error) {
    isOver = true
    throw error
  } finally {
    if (!isOver) post('abort-fetch', id)
    end()
  }
}

/** Globals of a script that has a network. */
export const network: Record<string, unknown> = {
  ...{ fetch, Headers, Request, Response, Blob, File, FormData, ReadableStream },
}
