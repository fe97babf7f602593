// The sessions of a page, one after the other: a WebSocket, and the client that goes on over the next one. Runs in a browser.
import type { Client, ClientOptions } from '@sallyport/frontend/internal'
import { LinkClient, endClient, reconnectClient, renameClient } from '@sallyport/frontend/internal'
import { every } from '@sallyport/protocol/internal/contract'
import { BusError, createClosedClientError } from '@sallyport/protocol/internal/errors'
import { createDeferred, getBackoff, setDevelopment } from '@sallyport/protocol/internal/util'
import { BASE_PATH, CLOSE_DENIED, CLOSE_IN_USE, CLOSE_UNAVAILABLE, type Greeting } from './contract/greeting.js'
import { type SocketAdapter, WebSocketLink } from './web-socket-link.js'

/** Bytes in the browser's buffer above which calls wait in the client. */
const HIGH_WATER_BYTES = 2 ** 18
/** Interval at which a full buffer is checked: a browser does not report that it has drained. */
const DRAIN_CHECK_MS = 10
const RECONNECT_DELAY = { min: 100, max: 10_000 }
/** Times that a page without a client tries again while the server has no place for it yet: for 20 to 40 s. */
const MAX_FIRST_RETRIES = 10
const MISSED_HEARTBEATS = 3
/** Time for the greeting. A browser would wait for minutes, or for ever. */
const GREETING_TIMEOUT_MS = 30_000

export interface PageSessionOptions {
  /** URL of the WebSocket. */
  url: URL
  /** The greeting as far as it is known, for a client that can be used before the server has answered. */
  expected?: Greeting | undefined
  /** A class of client that explains errors. @default Client */
  clientClass?: typeof LinkClient
  /** Creates the WebSocket of a program in Node.js. */
  createSocket?(): object
  /** Called when the server has ended the session for good. */
  onEnded?(error: BusError): void
}

export class PageSession {
  readonly connected: Promise<Client>
  readonly #options: PageSessionOptions
  readonly #connected = createDeferred<Client>()
  /** Exists from the beginning if the greeting was expected. */
  client: Client | undefined
  #earlyLink: WebSocketLink | undefined
  #link!: WebSocketLink
  #attempts = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  isOver = false

  constructor(options: PageSessionOptions) {
    this.#options = options
    this.connected = this.#connected.promise
    // A page does not have to wait for it.
    this.connected.catch(() => {})
    const { expected } = options
    this.#open(expected === undefined)
    if (expected) {
      this.#earlyLink = this.#link
      this.#link.maxMessageBytes = expected.maxMessageBytes
      this.#createClient(expected)
    }
  }

  #open(isStarted: boolean): void {
    const onGreeting = (greeting: Greeting): void => this.#onGreeting(greeting)
    // URLs are logged by proxies, subprotocols are not: who knows the id can take the page's place.
    const socket = this.#options.createSocket?.() ?? new WebSocket(this.#options.url, getTab())
    this.#link = openSocket(socket as WebSocket, isStarted, onGreeting, (...end) => this.#onClosed(...end))
  }

  #onGreeting(greeting: Greeting): void {
    this.#attempts = 0
    if (greeting.tab) setTab(greeting.tab)
    this.#link.maxMessageBytes = greeting.maxMessageBytes
    const client = this.client
    if (!client) this.#createClient(greeting)
    else {
      // A second tab gets a label of its own.
      renameClient(client, greeting.label)
      if (this.#link === this.#earlyLink) this.#link.start()
      else void reconnectClient(client, this.#link)
    }
    this.#earlyLink = undefined
    this.#connected.resolve(this.client!)
  }

  #createClient({ label, codec, data, timeout, maxInFlight, overflow, development }: Greeting): void {
    setDevelopment(development)
    const { clientClass = LinkClient } = this.#options
    const options = { label, codec, data, timeout, maxInFlight, overflow, reconnects: true }
    this.client = new clientClass(this.#link, options as ClientOptions)
    void this.client.closed.then(() => this.#end())
  }

  #onClosed(code: number, reason: string): void {
    if (this.isOver) return
    const isDenied = code === CLOSE_DENIED
    const isFinal = isDenied || code === CLOSE_IN_USE
    const isWorthRetrying =
      this.client !== undefined || (code === CLOSE_UNAVAILABLE && this.#attempts < MAX_FIRST_RETRIES)
    if (isWorthRetrying && !isFinal) {
      const delay = getBackoff(this.#attempts++, { ...RECONNECT_DELAY, random: Math.random() })
      // oxlint-disable-next-line sallyport/no-own-timers -- `later` would let a program in Node end before it is connected again
      this.#timer = setTimeout(() => this.#open(true), delay)
      return
    }
    const text = reason || `The server at ${this.#options.url} refused the page or did not answer`
    const error = new BusError(isDenied ? 'Denied' : 'Disconnected', text, {
      // The page that is open elsewhere does not end by itself.
      ...(code !== CLOSE_IN_USE && { code: isDenied ? 'LOGIN_REFUSED' : 'NO_CONNECTION' }),
      data: { delivered: 'no' },
    })
    this.#connected.reject(error)
    if (this.client) endClient(this.client, error)
    this.#end()
    this.#options.onEnded?.(error)
  }

  #end(): void {
    this.isOver = true
    clearTimeout(this.#timer)
    this.#link.close()
    // Without effect after the first greeting.
    this.#connected.reject(createClosedClientError())
  }
}

/** Opens the link of a WebSocket. Its first message is the greeting; what follows are the frames of the link. */
function openSocket(
  socket: WebSocket,
  isStarted: boolean,
  onGreeting: (greeting: Greeting) => void,
  onClosed: (code: number, reason: string) => void,
): WebSocketLink {
  socket.binaryType = 'arraybuffer'
  const link = new WebSocketLink(createAdapter(socket), isStarted)
  let greeting: Greeting | undefined
  // Checks count, not time: what arrives while this thread is busy is read before the next check.
  let silentChecks = 0
  let isClosed = false
  const check = (): void => {
    if (silentChecks++ >= MISSED_HEARTBEATS) leave('')
  }
  let endWatch = every(GREETING_TIMEOUT_MS / (MISSED_HEARTBEATS + 1), check)
  const end = (code: number, reason: string): void => {
    if (isClosed) return
    isClosed = true
    endWatch()
    link.onClosed()
    onClosed(code, reason)
  }
  const leave = (reason: string): void => {
    // A browser would wait for the other end of a connection that is gone.
    socket.close()
    end(1006, reason)
  }
  socket.onclose = ({ code, reason }) => end(code, reason)
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    silentChecks = 0
    if (isClosed || data === '') return
    if (greeting) return typeof data === 'string' ? link.onText(data) : link.onBinary(new Uint8Array(data))
    greeting = readGreeting(data)
    if (!greeting) return leave('The server sent no greeting. Check its address.')
    endWatch()
    endWatch = every(greeting.heartbeat, check)
    onGreeting(greeting)
  }
  return link
}

/** Any WebSocket server can be at the address of a program, and many of them say hello. */
function readGreeting(data: unknown): Greeting | undefined {
  try {
    const greeting: Greeting = JSON.parse(String(data))
    return greeting.heartbeat > 0 ? greeting : undefined
  } catch {
    return undefined
  }
}

const createAdapter = (socket: WebSocket): SocketAdapter => ({
  get bufferedAmount() {
    return socket.bufferedAmount
  },
  get isFull() {
    return socket.bufferedAmount > HIGH_WATER_BYTES
  },
  send: data => socket.send(data as string | Uint8Array<ArrayBuffer>),
  onDrained(callback) {
    const end = every(DRAIN_CHECK_MS, () => {
      if (socket.readyState === socket.OPEN && socket.bufferedAmount > 0) return
      end()
      callback()
    })
  },
  close: () => socket.close(),
})

// State that the scripts of one page share: its session with each server, and the id of its tab.

const TAB_KEY = 'sallyport-tab'
let currentTab = crypto.getRandomValues(new Uint32Array(4)).join('-')

const getSessionKey = (url: URL): symbol => Symbol.for(`@sallyport/web:${url}`)

/** Returns the session of the page with a server. Another copy of this package can have opened it. */
export function findPageSession(url: URL): Pick<PageSession, 'connected'> | undefined {
  const session = (globalThis as { [key: symbol]: PageSession | undefined })[getSessionKey(url)]
  return session?.isOver ? undefined : session
}

export function setPageSession(url: URL, session: PageSession): void {
  Object.defineProperty(globalThis, getSessionKey(url), { value: session, configurable: true })
}

function setTab(tab: string): void {
  currentTab = tab
  try {
    sessionStorage.setItem(TAB_KEY, tab)
  } catch {
    // Storage can be disabled.
  }
}

/** Returns an id that a reload of the page keeps, so that the server knows it from a second tab. */
function getTab(): string {
  try {
    currentTab = sessionStorage.getItem(TAB_KEY) ?? currentTab
  } catch {
    // Storage can be disabled.
  }
  setTab(currentTab)
  return currentTab
}

export function toSocketUrl(url: string | URL): URL {
  const target = new URL(url, location.href)
  if (target.pathname === '/') target.pathname = BASE_PATH
  target.protocol = target.protocol.replace('http', 'ws')
  return target
}
