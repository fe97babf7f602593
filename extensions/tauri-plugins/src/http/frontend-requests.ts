// The requests of one frontend: how many it can have, and how many of them are connected at a time.
import type { ResponseBody } from './bodies.js'
import { type Release, Slots } from '../io/slots.js'

/** A request that is not yet answered. */
interface OpenRequest {
  /** Bytes of its body and URL. */
  readonly size: number
}

/** Requests of one frontend that are not yet answered. */
const MAX_REQUESTS = 1024
/** Bytes of their bodies and URLs. */
const MAX_REQUEST_BYTES = 64 * 1024 * 1024

export class FrontendRequests {
  readonly #open = new Set<OpenRequest>()
  readonly #connections: Slots
  #wholeBytes = 0

  constructor(
    readonly label: string,
    connections: number,
  ) {
    this.#connections = new Slots(connections)
  }

  /** @throws {string} if the frontend has too many requests */
  checkSize(bytes: number): void {
    let total = bytes
    for (const { size } of this.#open) total += size
    if (this.#open.size < MAX_REQUESTS && total <= MAX_REQUEST_BYTES) return
    throw `request refused: ${MAX_REQUESTS} requests, or ${MAX_REQUEST_BYTES} bytes of them, are in flight. Wait for earlier responses.`
  }

  add(request: OpenRequest): void {
    this.#open.add(request)
  }

  delete(request: OpenRequest): void {
    this.#open.delete(request)
  }

  /** Reads a body whole. @throws {string} if the bodies that are read at the same time have more than `maxBytes` together */
  async readWhole(body: ResponseBody, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    let kept = 0
    try {
      return await body.readWhole(signal, bytes => {
        kept += bytes
        this.#wholeBytes += bytes
        if (this.#wholeBytes > maxBytes)
          throw `response bodies exceeded ${maxBytes} bytes together. Read fewer at a time.`
      })
    } finally {
      this.#wholeBytes -= kept
    }
  }

  /** Waits for a connection, in the order of the calls. Returns a function that gives it back, once. Rejects with the signal's reason. */
  connect(signal: AbortSignal): Promise<Release> {
    return this.#connections.take(signal)
  }
}
