// Bodies of responses, read a chunk at a time when the frontend asks. In between, the socket's buffers fill up and the server waits.
import type { Readable } from 'node:stream'
import type { Channel, Resources } from '@sallyport/core'
import { addResource, forgetResource } from '../definition/resources.js'

/** Bytes of one chunk. */
const MAX_CHUNK = 256 * 1024

/** Options of a body. */
export interface BodyOptions {
  readonly maxBytes: number
  /** Milliseconds without a read, or of a read without data, after which the body is closed. */
  readonly idleMs: number
  /** The URL for error texts. */
  readonly url: string
  /** Runs once, when the body has ended or is closed. */
  readonly onEnd: () => void
}

/** The body of a response: a resource of its frontend. */
export class ResponseBody {
  readonly #stream: Readable
  readonly #options: BodyOptions
  readonly #idleTimer: NodeJS.Timeout
  #received = 0
  #isReading = false
  #hasEnded = false
  #failure: string | undefined
  #forget = (): void => {}

  constructor(stream: Readable, options: BodyOptions) {
    this.#stream = stream
    this.#options = options
    this.#idleTimer = setTimeout(() => this.#fail(`response body timed out after ${options.idleMs} ms`), options.idleMs)
    // Without a listener, an error between two reads would end core.
    stream.on('error', () => {})
  }

  /** Adds the body to the resources of its frontend until it ends. Returns its number. */
  openIn(resources: Resources): number {
    const rid = addResource(resources, this)
    this.#forget = () => forgetResource(resources, rid)
    return rid
  }

  /**
   * Returns the next chunk, followed by a byte 0, or a single byte 1 at the end of the body.
   *
   * @throws {string} if the connection fails, a limit is exceeded, or another read waits
   */
  async read(signal: AbortSignal): Promise<Uint8Array> {
    if (this.#isReading) throw 'another read of this response body is in flight. Wait for its result.'
    this.#isReading = true
    this.#idleTimer.refresh()
    try {
      const chunk = await this.#readChunk(signal)
      this.#idleTimer.refresh()
      const bytes = new Uint8Array((chunk?.length ?? 0) + 1)
      if (chunk) bytes.set(chunk)
      else bytes[0] = 1
      if (!chunk) this.close()
      return bytes
    } finally {
      this.#isReading = false
    }
  }

  /**
   * Sends all chunks on a channel as `read` returns them. Without marks, sends their bytes alone, and no bytes at the end.
   *
   * @throws {string} like `read`
   */
  async sendTo(channel: Channel<Uint8Array>, hasMarks: boolean): Promise<void> {
    try {
      for (let isOver = false; !isOver;) {
        const bytes = await this.read(channel.signal)
        isOver = isEnd(bytes)
        await channel.send(hasMarks ? bytes : isOver ? new Uint8Array() : bytes.slice(0, -1))
      }
    } finally {
      this.close()
      channel.end()
    }
  }

  /** Returns the rest of the body, without a mark. @param count - is called with the bytes that are kept, and can refuse them @throws {string} like `read` */
  async readWhole(signal: AbortSignal, count: (bytes: number) => void): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    try {
      for (let bytes = await this.read(signal); !isEnd(bytes); bytes = await this.read(signal)) {
        count(bytes.length)
        chunks.push(bytes.subarray(0, -1))
      }
    } finally {
      this.close()
    }
    return new Uint8Array(Buffer.concat(chunks))
  }

  async #readChunk(signal: AbortSignal): Promise<Uint8Array | undefined> {
    const stream = this.#stream
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const chunk = (stream.readableLength > MAX_CHUNK ? stream.read(MAX_CHUNK) : stream.read()) as Buffer | null
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

  /** Closes the connection. A read that waits rejects. */
  close(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#failure ??= 'Request canceled'
    clearTimeout(this.#idleTimer)
    this.#stream.destroy()
    this.#forget()
    this.#options.onEnd()
  }
}

const isEnd = (marked: Uint8Array): boolean => marked.at(-1) === 1

/** Resolves when the stream has data, has ended or failed, or the signal aborts. */
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
