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
import { EventLineReader, MessageBytes, parseMessages } from './messages.js'
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
  /** Gets each message before the SDK does. Returns false if nobody asked for it, and it was one too many. */
  admit(message: unknown, length: number): boolean
  /** Gets a violation in a response that is for no request of the bus. */
  fail(error: RequestLost): void
}

const EVENT_STREAM = 'text/event-stream'
/** A longer id of an event would be a header of a request. */
const MAX_EVENT_ID = 1024
/** Lines of an event beside its data that count for nothing: its name, its id, the empty one, and some comments. */
const MAX_EVENT_FIELDS = 8
/** Bytes for which each line of data counts at least: a short one costs the host more than its bytes do. */
const LINE_COST = 256
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
    const lines = new EventLineReader(this.#options.maxMessage)
    const texts: string[] = []
    // Since the last event: lines beside its data, and what its data costs.
    let [fields, cost] = [0, 0]
    const parser = createParser({
      maxBufferSize: this.#options.maxMessage,
      onEvent: ({ id = '', data }) => {
        this.#checkLength(Buffer.byteLength(data))
        const messages = data === '' ? [] : (this.#parse(Buffer.from(data), cost) ?? [])
        if (messages.length === 0) this.#admit(undefined, cost)
        fields = cost = 0
        const marker = id !== '' && id.length <= MAX_EVENT_ID ? `id: ${id}\n` : ''
        texts.push(`${marker}data: ${JSON.stringify(messages[0]) ?? ''}\n\n`)
        for (const message of messages.slice(1)) texts.push(`data: ${JSON.stringify(message)}\n\n`)
      },
      onRetry: delay => void texts.push(`retry: ${delay}\n`),
      onError: ({ type }) => {
        if (type === 'max-buffer-size-exceeded') this.#checkLength(Infinity)
      },
    })
    const feed = (line: Buffer): void => {
      const text = decoder.decode(line)
      if (/^data(?::|$)/.test(text)) cost += Math.max(line.length, LINE_COST)
      else if (++fields > MAX_EVENT_FIELDS || line.length > MAX_EVENT_ID) this.#admit(undefined, line.length)
      parser.feed(`${text}\n`)
    }
    try {
      for await (const chunk of received) {
        for (const line of lines.read(chunk)) feed(line)
        if (texts.length > 0) yield Buffer.from(texts.splice(0).join(''))
      }
    } catch (error) {
      throw this.#fail(error, exchange)
    } finally {
      stream.destroy()
    }
  }

  /** Returns `undefined` for what is no JSON. @throws {RequestLost} for a text beyond the limits */
  #parse(text: Buffer, cost: number = text.length): unknown[] | undefined {
    let messages: unknown[]
    try {
      messages = parseMessages(text)
    } catch (error) {
      if (error instanceof SyntaxError) return undefined
      throw new Violation(`it sent a message beyond the limits: ${(error as Error).message}`)
    }
    for (const message of messages) this.#admit(message, cost)
    return messages
  }

  #admit(message: unknown, length: number): void {
    if (this.#events.admit(message, length)) return
    const error = new Violation('it sent more than it was asked for')
    this.#events.fail(error)
    throw error
  }

  #checkLength(length: number): void {
    const { maxMessage } = this.#options
    if (length > maxMessage) throw new Violation(`it sent a message of more than ${maxMessage} bytes`)
  }

  /** A violation in an answer costs its own request alone. After other errors, the SDK can read the rest of a stream again. */
  #fail(cause: unknown, exchange: Exchange | undefined): unknown {
    const error = cause instanceof RangeError ? new Violation(cause.message) : cause
    if (error instanceof Violation) (exchange ?? this.#events).fail(error)
    return error
  }
}

function toHeaders(received: Record<string, unknown>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(received))
    for (const each of [value].flat()) headers.append(name, String(each))
  return headers
}
