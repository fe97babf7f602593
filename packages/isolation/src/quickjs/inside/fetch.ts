// `fetch` of a script in QuickJS that has a network. The script host sends each request to the broker, which checks its host.
import type { AbortSignal } from './abort.js'
import { Headers } from './headers.js'
import { request as ask } from './port.js'

type Bytes = AsyncIterator<Uint8Array>

/** What the host answers with. */
interface Head {
  readonly status: number
  readonly statusText: string
  readonly url: string
  readonly redirected: boolean
  readonly headers: [string, string][]
  readonly body: AsyncIterable<Uint8Array> | null
}

/** A body that is read once: the part of a `ReadableStream` that clients of services use. */
class BodyStream {
  readonly #bytes: Bytes
  #isLocked = false

  constructor(bytes: Bytes) {
    this.#bytes = bytes
  }

  get locked(): boolean {
    return this.#isLocked
  }

  getReader(): object {
    this.#lock()
    const bytes = this.#bytes
    return {
      read: async () => {
        const { done, value } = await bytes.next()
        return done ? { done: true, value: undefined } : { done: false, value }
      },
      cancel: async () => void (await bytes.return?.()),
      releaseLock: () => {
        this.#isLocked = false
      },
    }
  }

  async cancel(): Promise<void> {
    await this.#bytes.return?.()
  }

  [Symbol.asyncIterator](): Bytes {
    this.#lock()
    return this.#bytes
  }

  #lock(): void {
    if (this.#isLocked) throw new TypeError('The body is locked: it is read already')
    this.#isLocked = true
  }
}

async function* iterate(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Returns bytes that can be sent, and their type. */
function toBytes(body: unknown): [bytes: Uint8Array, type?: string] {
  if (body instanceof ArrayBuffer) return [new Uint8Array(body)]
  if (ArrayBuffer.isView(body)) return [new Uint8Array(body.buffer, body.byteOffset, body.byteLength)]
  if (body instanceof URLSearchParams)
    return [new TextEncoder().encode(String(body)), 'application/x-www-form-urlencoded;charset=UTF-8']
  if (typeof body === 'object' || typeof body === 'function')
    throw new TypeError('The body must be a string, bytes, or URLSearchParams')
  return [new TextEncoder().encode(String(body)), 'text/plain;charset=UTF-8']
}

/** What a request and a response have in common. */
class Message {
  readonly headers: Headers
  #stream: BodyStream | null = null

  constructor(body: unknown, headers: unknown) {
    this.headers = new Headers(headers ?? {})
    if (body === null || body === undefined) return
    if (body instanceof BodyStream) {
      this.#stream = body
      return
    }
    const [bytes, type] = toBytes(body)
    if (type !== undefined && !this.headers.has('content-type')) this.headers.set('content-type', type)
    this.#stream = new BodyStream(iterate(bytes))
  }

  get body(): BodyStream | null {
    return this.#stream
  }

  get bodyUsed(): boolean {
    return this.#stream?.locked ?? false
  }

  async bytes(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    let length = 0
    if (this.#stream) {
      for await (const chunk of { [Symbol.asyncIterator]: () => this.#stream![Symbol.asyncIterator]() }) {
        length += chunk.length
        chunks.push(chunk)
      }
    }
    const bytes = new Uint8Array(length)
    let at = 0
    for (const chunk of chunks) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    return bytes
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer as ArrayBuffer
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
    super(init.body ?? base?.body, init.headers ?? base?.headers)
    this.url = base?.url ?? new URL(String(input)).href
    const method = String(init.method ?? base?.method ?? 'GET')
    this.method = /^(?:delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method
    this.redirect = String(init.redirect ?? base?.redirect ?? 'follow')
    this.signal = init.signal === undefined ? (base?.signal ?? null) : init.signal
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
    super(body, init.headers)
    this.status = Number(init.status ?? 200)
    this.statusText = String(init.statusText ?? '')
  }

  static json(value: unknown, init: { readonly headers?: unknown } = {}): Response {
    const headers = new Headers(init.headers ?? {})
    if (!headers.has('content-type')) headers.set('content-type', 'application/json')
    return new Response(JSON.stringify(value), { ...init, headers })
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }
}

async function fetch(input: unknown, init?: RequestOptions): Promise<Response> {
  const message = new Request(input, init)
  const { url, method, redirect, headers, signal } = message
  signal?.throwIfAborted()
  const body = message.body ? await message.bytes() : null
  try {
    const sent = { url, method, redirect, headers: [...headers], body }
    const head = (await ask('fetch', [sent, signal])) as Head
    const response = new Response(head.body && new BodyStream(head.body[Symbol.asyncIterator]()), head)
    const { url: finalUrl, redirected } = head
    return Object.assign(response, { url: finalUrl, redirected, type: 'basic' })
  } catch (error) {
    signal?.throwIfAborted()
    const { name, message: text } = error as Error
    throw name === 'TypeError' ? new TypeError(text) : error
  }
}

/** Globals of a script that has a network. */
export const network: Record<string, unknown> = { fetch, Headers, Request, Response }
