// The requests to a server over HTTP, and to the hosts of its authorization: to hosts of a list alone, without following a redirect, and with
// bounds for what comes back. The SDK gets texts that were checked.
import { AsyncLocalStorage } from 'node:async_hooks'
import { Duplex, PassThrough, Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import type { DeniedHost } from '@sallyport/core/internal'
import { Broker, type BrokerStream } from '@sallyport/process/internal/launchers'
import { BROKER_OUTCOME, BROKER_REASON, deadline } from '@sallyport/protocol/internal/contract'
import { createDeferred, parseForeignUrl, toPlainText } from '@sallyport/protocol/internal/util'
import { createParser } from 'eventsource-parser'
import { MessageBytes, parseMessages } from './messages.js'
import { RequestLost } from './server-transport.js'

export interface RemoteFetchOptions {
  /** Hosts that are reached, as in `net`. */
  readonly hosts: readonly string[]
  readonly maxMessage: number
  /** Milliseconds for a response to begin, and to arrive unless it is a stream of events. */
  readonly timeout: number
  readonly onDenied: (denied: DeniedHost) => void
}

/** What a response is for. */
export interface Exchange {
  readonly fail: (error: RequestLost) => void
  /** True once its response is a stream, which can have the answer later. */
  hasEvents: boolean
}

export interface RemoteFetchEvents {
  /** Gets each message before the SDK does. Returns false if nobody asked for it, and it was one too many. @param count - of what is no message */
  admit(message: unknown, length: number, count?: number): boolean
  /** Gets a violation in a response that is for no request of the bus. */
  fail(error: RequestLost): void
}

const EVENT_STREAM = 'text/event-stream'
/** A longer id of an event would be a header of a request. */
const MAX_EVENT_ID = 1024
const NULL_BODY = new Set([204, 205, 304])

/** What no server of good will sends. */
class Violation extends RequestLost {}

/** The request of the bus that a request over HTTP is for, also when it reads its stream of events again. */
export const exchanges: AsyncLocalStorage<Exchange> = new AsyncLocalStorage<Exchange>()

export class RemoteFetch {
  readonly #broker: Broker
  readonly #options: RemoteFetchOptions
  readonly #events: RemoteFetchEvents

  constructor(options: RemoteFetchOptions, events: RemoteFetchEvents) {
    this.#broker = new Broker({ hosts: options.hosts, secrets: [] }, options.onDenied)
    this.#options = options
    this.#events = events
  }

  /** @throws {RequestLost} if there is no response, or if it is beyond a limit */
  readonly fetch = async (input: string | URL, init?: RequestInit): Promise<Response> => {
    const url = parseForeignUrl(String(input))
    if (!url) throw new RequestLost('it names an address that is none')
    const exchange = exchanges.getStore()
    const request = new Request(url, init)
    const { stream, head, received } = await this.#send(url, request)
    const abort = (): void => void stream.destroy(request.signal.reason)
    request.signal.addEventListener('abort', abort)
    stream.once('close', () => request.signal.removeEventListener('abort', abort))
    if (request.signal.aborted) abort()
    const late = new RequestLost(`its response did not arrive within ${this.#options.timeout} ms`)
    const endDeadline = deadline(this.#options.timeout, () => stream.destroy(late))
    try {
      const { status, headers } = await head
      const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
      // The SDK reads what it asks for by GET as events, whatever its type is, and other streams only with this status.
      const isEvents = status === 200 && type === EVENT_STREAM
      if (isEvents || (status < 300 && request.headers.get('accept') === EVENT_STREAM)) {
        headers.set('content-type', EVENT_STREAM)
        if (exchange) exchange.hasEvents = true
        const events = ReadableStream.from(this.#readEvents(received, stream, exchange))
        return new Response(events as unknown as ConstructorParameters<typeof Response>[0], { status, headers })
      }
      if (type === EVENT_STREAM) headers.delete('content-type')
      const text = await this.#readText(received)
      return new Response(NULL_BODY.has(status) ? null : text, { status, headers })
    } catch (error) {
      stream.destroy()
      throw this.#fail(error, exchange)
    } finally {
      endDeadline()
    }
  }

  async #send(
    url: URL,
    request: Request,
  ): Promise<{
    stream: BrokerStream
    head: Promise<{ status: number; headers: Headers }>
    received: PassThrough
  }> {
    const body = Buffer.from(await request.arrayBuffer())
    const received = new PassThrough()
    const head = createDeferred<{ status: number; headers: Headers }>()
    const duplex = Duplex.from({ readable: Readable.from(body.length > 0 ? [body] : []), writable: received })
    const stream = Object.assign(duplex, {
      headersSent: false,
      respond(headers: Record<string, unknown>, { endStream }: { endStream?: boolean } = {}) {
        stream.headersSent = true
        const { ':status': status, [BROKER_OUTCOME]: outcome, [BROKER_REASON]: reason, ...others } = headers
        if (outcome === 'response') head.resolve({ status: Number(status), headers: toHeaders(others) })
        else head.reject(new RequestLost(String(reason).replace(/\.$/, '')))
        if (endStream) stream.end()
      },
    })
    const fail = (error: Error = new RequestLost('its connection has ended')): void => {
      head.reject(error)
      if (!received.writableEnded) received.destroy(error)
    }
    received.on('error', () => {})
    // The broker, and what it pipes, listen to it.
    stream.setMaxListeners(0).on('error', fail).once('close', fail)
    head.promise.catch(() => {})
    const { protocol, host, pathname, search } = url
    const target = { ':method': request.method, ':scheme': protocol.slice(0, -1), ':authority': host }
    const headers = { ...Object.fromEntries(request.headers), ...target, ':path': pathname + search }
    // Nothing reads its end, without which it would not close.
    if (body.length === 0) stream.resume()
    this.#broker.serve(
      stream,
      body.length > 0 ? { ...headers, 'content-length': `${body.length}` } : headers,
      !body.length,
    )
    return { stream, head: head.promise, received }
  }

  async #readText(received: AsyncIterable<Buffer>): Promise<string> {
    const body = new MessageBytes(this.#options.maxMessage)
    for await (const chunk of received) if (!body.add(chunk)) this.#checkLength(Infinity)
    const bytes = body.read()
    const messages = this.#parse(bytes)
    // The SDK quotes it in errors.
    if (!messages) return toPlainText(bytes.toString('utf8'))
    return JSON.stringify(messages.length === 1 ? messages[0] : messages)
  }

  async *#readEvents(
    received: AsyncIterable<Buffer>,
    stream: BrokerStream,
    exchange: Exchange | undefined,
  ): AsyncGenerator<Uint8Array> {
    const decoder = new TextDecoder()
    const texts: string[] = []
    const count = (length: number): void => this.#admit(undefined, length)
    const parser = createParser({
      maxBufferSize: this.#options.maxMessage,
      onEvent: ({ id = '', data }) => {
        this.#checkLength(Buffer.byteLength(data))
        const messages = data === '' ? [] : (this.#parse(Buffer.from(data)) ?? [])
        if (messages.length === 0) count(data.length)
        const marker = id !== '' && id.length <= MAX_EVENT_ID ? `id: ${id}\n` : ''
        texts.push(`${marker}data: ${JSON.stringify(messages[0]) ?? ''}\n\n`)
        for (const message of messages.slice(1)) texts.push(`data: ${JSON.stringify(message)}\n\n`)
      },
      onRetry: delay => {
        count(0)
        texts.push(`retry: ${delay}\n`)
      },
      onComment: comment => count(comment.length),
      onError: ({ type, line = '' }) => {
        if (type === 'max-buffer-size-exceeded') this.#checkLength(Infinity)
        count(line.length)
      },
    })
    const lines = new EventLines()
    try {
      for await (const chunk of received) {
        const text = lines.read(decoder.decode(chunk, { stream: true }))
        parser.feed(text)
        const idle = lines.takeIdle(texts.length)
        if (idle > 0) this.#admit(undefined, text.length, idle)
        if (texts.length > 0) yield Buffer.from(texts.splice(0).join(''))
      }
    } catch (error) {
      throw this.#fail(error, exchange)
    } finally {
      stream.destroy()
    }
  }

  /** Returns `undefined` for what is no JSON. @throws {RequestLost} for a text beyond the limits */
  #parse(text: Buffer): unknown[] | undefined {
    let messages: unknown[]
    try {
      messages = parseMessages(text)
    } catch (error) {
      if (error instanceof SyntaxError) return undefined
      throw new Violation(`it sent a message beyond the limits: ${(error as Error).message}`)
    }
    for (const message of messages) this.#admit(message, text.length)
    return messages
  }

  #admit(message: unknown, length: number, count = 1): void {
    if (this.#events.admit(message, length, count)) return
    const error = new Violation('it sent more than it was asked for')
    this.#events.fail(error)
    throw error
  }

  #checkLength(length: number): void {
    const { maxMessage } = this.#options
    if (length > maxMessage) throw new Violation(`it sent a message of more than ${maxMessage} bytes`)
  }

  /** A violation in an answer costs its own request alone. After other errors, the SDK can read the rest of a stream again. */
  #fail(error: unknown, exchange: Exchange | undefined): unknown {
    if (error instanceof Violation) (exchange ?? this.#events).fail(error)
    return error
  }
}

/** Lines of an event beside its data: `id`, `event`, and the one that ends it; and of each comment, which ends an event of nothing. */
const LINES_PER_EVENT = 4

/** Counts the lines of a stream of events that belong to none, which cost the parser as much as others. */
class EventLines {
  #endsWithReturn = false
  #isLineStart = true
  #idle = 0

  /** Returns a text whose lines end with `\n`: at each `\r`, the parser would search the rest for that. */
  read(chunk: string): string {
    const joined = this.#endsWithReturn && chunk.startsWith('\n') ? chunk.slice(1) : chunk
    this.#endsWithReturn = chunk === '' ? this.#endsWithReturn : chunk.endsWith('\r')
    const text = joined.includes('\r') ? joined.replaceAll('\r\n', '\n').replaceAll('\r', '\n') : joined
    for (let at = this.#isLineStart ? 0 : text.indexOf('\n') + 1; at < text.length;) {
      if (/^(?:\n|id|event)/.test(text.slice(at, at + 5))) this.#idle++
      const end = text.indexOf('\n', at)
      if (end < 0) break
      at = end + 1
    }
    if (text !== '') this.#isLineStart = text.endsWith('\n')
    return text
  }

  /** Returns how many lines belonged to none of so many events. */
  takeIdle(events: number): number {
    const idle = Math.max(0, this.#idle - events * LINES_PER_EVENT)
    this.#idle = 0
    return idle
  }
}

function toHeaders(received: Record<string, unknown>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(received))
    for (const each of [value].flat()) headers.append(name, String(each))
  return headers
}
