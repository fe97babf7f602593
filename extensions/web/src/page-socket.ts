// The WebSocket of one page, on the server's side.
import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { delimiter, sep } from 'node:path'
import type { ExternalCode, ExternalFrontend } from '@sallyport/core/internal'
import { silence } from '@sallyport/protocol/internal/contract'
import { createDeferred } from '@sallyport/protocol/internal/util'
import type { WebSocket } from 'ws'
import type { Greeting } from './contract/greeting.js'
import type { WebConfig } from './options.js'
import { type IncompleteMessages, type PausableSocket, ServerLink } from './web-socket-link.js'

const GREETING_TIMEOUT_MS = 10_000

export type PageLimits = Pick<WebConfig, 'heartbeat' | 'maxMessageBytes'>

export const createGreeting = (
  client: ExternalFrontend['client'],
  { heartbeat, maxMessageBytes }: PageLimits,
): Greeting => ({ ...client, path: { sep, delimiter }, heartbeat, maxMessageBytes })

export class PageSocket {
  tab: string
  readonly closed: Promise<void>
  readonly #socket: WebSocket
  readonly #link: ServerLink
  readonly #limits: PageLimits
  #isAlive = true
  #hasOwnTab = true
  #answered = createDeferred()

  constructor(socket: WebSocket, stream: Duplex, tab: string, limits: PageLimits, incomplete: IncompleteMessages) {
    this.tab = tab
    this.#socket = socket
    this.#limits = limits
    const link = (this.#link = new ServerLink(
      createAdapter(socket, stream),
      limits.maxMessageBytes,
      incomplete.open(
        () => socket.isPaused,
        () => link.fail('a message that was not completed'),
      ),
    ))
    // Nothing is read before the greeting is sent.
    link.pause()
    socket.on('message', (data: Buffer, isBinary) => {
      // A page that sends for long answers a ping only after that.
      this.#isAlive = true
      if (isBinary) link.onBinary(data)
      else link.onText(data.toString())
    })
    socket.on('pong', () => {
      this.#isAlive = true
      this.#answered.resolve()
      this.#answered = createDeferred()
    })
    socket.on('error', (error: Error & { code?: string }) => {
      if (error.code?.startsWith('WS_ERR_')) link.fail(error.message)
    })
    this.closed = new Promise(resolve => {
      socket.on('close', () => {
        link.onClosed()
        resolve()
      })
    })
  }

  /** Returns what joins a frontend: it greets the page when core has a link for it. */
  createCode(frontend: ExternalFrontend): ExternalCode {
    const endWait = silence(GREETING_TIMEOUT_MS, {}, () => this.terminate())
    void this.closed.then(endWait)
    return {
      link: this.#link,
      connected: () => {
        endWait()
        const greeting = createGreeting(frontend.client, this.#limits)
        if (!this.#hasOwnTab) greeting.tab = this.tab
        this.#socket.send(JSON.stringify(greeting))
        this.#link.resume()
      },
    }
  }

  /** Changes the id of a page whose tab is a copy of another one. The greeting contains the new id. */
  changeTab(): void {
    this.tab = randomUUID()
    this.#hasOwnTab = false
  }

  refuse(code: number, reason: string): void {
    this.#link.resume()
    this.#socket.close(code, reason)
    // Nobody takes what arrives until the page has answered.
    this.#link.close()
  }

  /** Checks that the page has answered since the last call, and asks again. Otherwise disconnects it. */
  beat(): void {
    // A page that is not read because core is busy cannot answer.
    if (this.#socket.isPaused) return
    if (!this.#isAlive) return this.terminate()
    this.#isAlive = false
    this.#socket.ping()
    this.#socket.send('')
  }

  /**
   * Resolves with true if the page answers within a time, and with false if it does not, or has closed. Resolves with `undefined` for a
   * page that is not read, because it waits for its greeting or core is busy: it could not answer.
   */
  async isAnswering(ms: number): Promise<boolean | undefined> {
    const socket = this.#socket
    if (socket.isPaused) return undefined
    let endWait!: () => void
    const timeout = new Promise<boolean | undefined>(resolve => {
      endWait = silence(ms, {}, () => resolve(socket.isPaused ? undefined : false))
    })
    const answered = this.#answered.promise.then(() => true)
    socket.ping()
    const isAnswering = await Promise.race([answered, timeout, this.closed.then(() => false)])
    endWait()
    return isAnswering
  }

  terminate(): void {
    this.#socket.terminate()
  }
}

const createAdapter = (socket: WebSocket, stream: Duplex): PausableSocket => ({
  get bufferedAmount() {
    return socket.bufferedAmount
  },
  get isFull() {
    return stream.writableNeedDrain
  },
  send: (data, isText) => socket.send(data, { binary: !isText }),
  onDrained: callback => void stream.once('drain', callback),
  pause: () => socket.pause(),
  resume: () => socket.resume(),
  close: () => socket.close(),
})
