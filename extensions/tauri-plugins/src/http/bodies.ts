// Bodies of responses, read a chunk at a time when the frontend asks. In between, the socket's buffers fill up and the server waits.
import type { Readable } from 'node:stream'
import type { Channel, Resources } from '@sallyport/core'
import { silence } from '@sallyport/paths/internal'
import { addResource, forgetResource } from '../shared/plugin.js'

const MAX_CHUNK = 256 * 1024

export interface BodyOptions {
  readonly maxBytes: number
  /** Milliseconds without a read, or of a read without data, after which the body is closed. */
  readonly idleMs: number
  readonly url: string
  /** Runs once, when the body has ended or is closed. */
  readonly onEnd: () => void
}

/** The body of a response: a resource of its frontend. */
export class ResponseBody {
  readonly #stream: Readable
  readonly #options: BodyOptions
  readonly #endWait: () => void
  #reads = 0
  #received = 0
  #isReading = false
  #hasEnded = false
  #failure: string | undefined
  #forget = (): void => {}

  constructor(stream: Readable, options: BodyOptions) {
    this.#stream = stream
    this.#options = options
    const fail = (): void => this.#fail(`response body timed out after ${options.idleMs} ms`)
    this.#endWait = silence(options.idleMs, { readSign: () => this.#reads }, fail)
    // Without a listener, an error between two reads would end core.
    stream.on('error', () => {})
  }

  openIn(resources: Resources): number {
    const rid = addResource(resources, this)
    this.#forget = () => forgetResource(resources, rid)
    return rid
  }

  /**
   * Returns the next chunk, followed by a byte 0, or a single byte 1 at the end of the body.
   * @throws {string} if the connection fails, a limit is exceeded, or another read waits
   */
  async read(signal: AbortSignal): Promise<Uint8Array> {
    if (this.#isReading) throw 'another read of this response body is in flight. Wait for its result.'
    this.#isReading = true
    this.#reads++
    try {
      const chunk = await this.#readChunk(signal)
      this.#reads++
      const bytes = new Uint8Array((chunk?.length ?? 0) + 1)
      if (chunk) bytes.set(chunk)
      else bytes[0] = 1
      if (!chunk) this.close()
      return bytes
    } finally {
      this.#isReading = false
    }
  }

  /** Sends all chunks on a channel as `read` returns them. @throws {string} like `read` */
  async sendTo(channel: Channel<Uint8Array>): Promise<void> {
    try {
      for (let isOver = false; !isOver;) {
        const bytes = await this.read(channel.signal)
        isOver = bytes.at(-1) === 1
        await channel.send(bytes)
      }
    } finally {
      this.close()
      channel.end()
    }
  }

  async #readChunk(signal: AbortSignal): Promise<Uint8Array | undefined> {
    const stream = this.#stream
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const chunk: Buffer | null = stream.readableLength > MAX_CHUNK ? stream.read(MAX_CHUNK) : stream.read()
      if (chunk !== null && chunk.length > 0) {
        this.#received += chunk.length
        if (this.#received <= this.#options.maxBytes) return chunk
        this.#fail(
          `response body exceeded ${this.#options.maxBytes} bytes. Request a part of it with a "range" header.`,
        )
      } else if (stream.readableEnded) return undefined
      else if (stream.destroyed) this.#fail(`error decoding response body for url (${this.#options.url})`)
      else if (signal.aborted) throw 'Request canceled'
      else await waitForChange(stream, signal)
    }
  }

  #fail(text: string): void {
    this.#failure ??= text
    this.close()
  }

  close(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#failure ??= 'Request canceled'
    this.#endWait()
    this.#stream.destroy()
    this.#forget()
    this.#options.onEnd()
  }
}

function waitForChange(stream: Readable, signal: AbortSignal): Promise<void> {
  const events = ['readable', 'end', 'error', 'close']
  return new Promise(resolve => {
    const finish = (): void => {
      for (const event of events) stream.off(event, finish)
      signal.removeEventListener('abort', finish)
      resolve()
    }
    for (const event of events) stream.on(event, finish)
    signal.addEventListener('abort', finish)
  })
}

export interface DataUrlContent {
  /** The MIME type, `text/plain;charset=US-ASCII` by default. */
  readonly type: string
  readonly bytes: Uint8Array
}

/** Characters before the comma. Node's parser of MIME types takes seconds for a long one. */
const MAX_HEADER_LENGTH = 1024

/** @throws {string} Tauri's text, if the URL has no comma within 1024 characters or its base64 is invalid */
export async function readDataUrl({ href }: URL): Promise<DataUrlContent> {
  const start = 'data:'.length
  if (!href.slice(start, start + MAX_HEADER_LENGTH + 1).includes(',')) throw 'failed to process data url'
  try {
    const response = await fetch(href)
    const type = response.headers.get('content-type')!
    return { type, bytes: new Uint8Array(await response.arrayBuffer()) }
  } catch {
    throw 'failed to decode data url into bytes'
  }
}
