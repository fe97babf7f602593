// Serves web pages as frontends of a bus: static files and a WebSocket, on servers of its own or in one of the host's.
import { readFile } from 'node:fs/promises'
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Bus } from '@sallyport/core'
import {
  getInitScripts,
  getLog,
  getPathResolver,
  getWebviewConfig,
  type HostLog,
  isDevMode,
  openExternalFrontend,
} from '@sallyport/core/internal'
import type { PathScope } from '@sallyport/paths/internal'
import { every, silence } from '@sallyport/protocol/internal/contract'
import { BusError, describeThrown } from '@sallyport/protocol/internal/errors'
import { createDeferred, onNextTick, withoutContext } from '@sallyport/protocol/internal/util'
import { MAX_FRAME_BYTES, MAX_PAGE_REFUSALS, MAX_PAGE_REQUESTS } from '@sallyport/protocol/internal/wire'
import { getRequestUrl, startLocalServer } from '@sallyport/protocol/internal/local-server'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import { BASE_PATH, CLOSE_DENIED, CLOSE_GOING_AWAY } from './contract/greeting.js'
import { ContentPolicy, createReportReceiver } from './document/content-policy.js'
import { createAssetScope } from './files/asset-files.js'
import { checkDirectories, type PageConfig, resolveOptions, type WebConfig, type WebOptions } from './options.js'
import { PageLabel } from './page-label.js'
import { createGreeting, PageSocket } from './page-socket.js'
import { type PageService, refuse, servePage } from './page-service.js'
import { PageScripts } from './document/page-scripts.js'
import { PageToken, RateLimit, type Refusal, RequestPolicy } from './http/request-policy.js'

const UPGRADE_TIMEOUT_MS = 5000
const REFUSAL_TIMEOUT_MS = 1000
const TAB = /^[\w-]{1,64}$/
/** Servers of hosts that have pages at the one path. */
const attached = new WeakSet<Server>()

/** The pages of a bus, as `serveFrontends` serves them. */
export interface WebServer {
  /** URL of the first label's page, with its token. Empty with `server`. */
  readonly url: string
  /** URLs by label. Each has a token that is valid for this run. */
  readonly urls: Readonly<Record<string, string>>
  /** Resolves once all pages are disconnected and nothing listens any more. Also happens when the bus closes. */
  readonly closed: Promise<void>
  /** Disconnects all pages and stops listening. A server that was passed as `server` stays open; when it is closed, its pages are disconnected. */
  close(): Promise<void>
  /** Calls `close`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Serves web pages as frontends of a bus. Each page has the rights of its label, as any frontend. Resolves when core has checked the
 * options, and the servers listen.
 *
 * @throws {BusError} InvalidParams for a wrong option, a directory that does not exist or a port that is in use; Disconnected if the bus is closing
 * @example
 * const web = await serveFrontends(bus, { frontends: { main: { dir: new URL('./dist/', import.meta.url), allow: ['greet'] } } })
 * console.log(web.url)
 */
export function serveFrontends(bus: Bus, options: WebOptions): Promise<WebServer> {
  return withoutContext(async () => {
    const config = resolveOptions(options)
    await checkDirectories(config)
    const server = new FrontendServer(bus, config)
    try {
      await server.start()
      return server
    } catch (error) {
      await server.close()
      throw error
    }
  })
}

class FrontendServer implements WebServer {
  readonly urls: Record<string, string> = {}
  readonly #closed = createDeferred()
  readonly closed: Promise<void> = this.#closed.promise
  readonly #bus: Bus
  readonly #config: WebConfig
  readonly #log: HostLog
  readonly #labels = new Map<string, PageLabel>()
  readonly #servers: Server[] = []
  readonly #sockets: WebSocketServer
  /** Opens WebSockets of pages that are not admitted, only to close them with a code. */
  readonly #refusals: WebSocketServer
  readonly #endHeartbeat: () => void
  /** Functions that end the wait for a sign of a connection. */
  readonly #idle = new WeakMap<Duplex, () => void>()
  #pageScript = ''
  #windowScript = ''
  #assets: PathScope | undefined
  /** A limit of its own, so that strangers cannot use up that of pages. */
  readonly #refusalHandshakes: RateLimit
  #detach: () => void = () => {}
  /** True once the server of the host's own has been closed, until it listens again. */
  #isServerClosed = false
  #closing: Promise<void> | undefined

  constructor(bus: Bus, config: WebConfig) {
    this.#bus = bus
    this.#config = config
    this.#log = getLog(bus)
    this.#refusalHandshakes = new RateLimit(config.maxHandshakes)
    const socketOptions: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      // One more for the kind of a frame. Attachments come in parts.
      maxPayload: Math.min(config.maxMessageBytes, MAX_FRAME_BYTES) + 1,
      closeTimeout: UPGRADE_TIMEOUT_MS,
    }
    this.#sockets = new WebSocketServer(socketOptions)
    // The maximum of a control frame.
    const refusalOptions = { ...socketOptions, clientTracking: true, maxPayload: 125, closeTimeout: REFUSAL_TIMEOUT_MS }
    this.#refusals = new WebSocketServer(refusalOptions)
    // Answers that have arrived while this thread was busy are read first.
    const beat = (): void => onNextTick(() => this.#forEachPage(page => page.beat()))
    this.#endHeartbeat = every(config.heartbeat, beat)
  }

  get url(): string {
    return Object.values(this.urls)[0] ?? ''
  }

  async start(): Promise<void> {
    const { frontends, server, port } = this.#config
    const read = (name: string): Promise<string> => readFile(new URL(import.meta.resolve(name)), 'utf8')
    this.#pageScript = await read('#page')
    this.#windowScript = await read('#window-page')
    const scope = getWebviewConfig(this.#bus)?.assets
    this.#assets = scope && createAssetScope(scope, getPathResolver(this.#bus), text => this.#log.warn(text))
    const opening = Object.entries(frontends).map(([label, page]) => this.#openLabel(label, page))
    // All of them have settled when one failure closes the others.
    const failed = (await Promise.allSettled(opening)).find(result => result.status === 'rejected')
    if (failed) throw failed.reason
    if (server) return this.#attach(server)
    for (const [at, [label, page]] of Object.entries(frontends).entries()) {
      await this.#listen(label, page, port && port + at)
    }
  }

  #forEachPage(visit: (page: PageSocket) => void): void {
    for (const { sockets } of this.#labels.values()) sockets.forEach(visit)
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #openLabel(label: string, { multiple, frontend: options }: PageConfig): Promise<void> {
    const open = (name: string) =>
      openExternalFrontend(this.#bus, `serveFrontends: frontends.${label}`, name, options, label)
    checkData(label, options.data)
    const frontend = await open(label)
    const isInUse = (name: string): boolean => this.#bus.frontends().some(each => each.label === name)
    const pages = new PageLabel({ label, multiple, frontend, open, isInUse, limits: this.#config })
    this.#labels.set(label, pages)
    void pages.closed.then(() => {
      this.#labels.delete(label)
      if (this.#labels.size === 0) void this.close()
    })
  }

  /** Serves the pages of one label on a port of their own: a page can read all pages of its origin. */
  async #listen(label: string, page: PageConfig, port: number): Promise<void> {
    const { maxConnections, origins, authenticate, heartbeat } = this.#config
    const started = await startLocalServer('serveFrontends', port, maxConnections + MAX_PAGE_REQUESTS)
    const { server, port: actualPort } = started
    this.#servers.push(server)
    server.on('connection', socket => this.#watchIdle(socket, 2 * heartbeat))
    const token = new PageToken(actualPort, label)
    const policy = new RequestPolicy(actualPort, origins)
    const isKnown = async (request: IncomingMessage): Promise<boolean> =>
      authenticate ? (await authenticate(request)) === label : token.isInCookie(request) || token.isInHeader(request)
    const url = `http://127.0.0.1:${actualPort}/`
    this.urls[label] = authenticate ? url : token.addTo(url)
    const access = { requestPolicy: policy, isKnown, token: authenticate ? undefined : token }
    const service = await this.#createService(label, page, access)
    // The bus can have closed before this server was known.
    if (this.#closing) {
      server.close()
      throw new BusError('Disconnected', 'serveFrontends: the bus was closed')
    }
    server.on('request', (request, response) => {
      servePage(service, request, response).catch((error: unknown) => this.#onFailure(error, response))
    })
    server.on('upgrade', (request, socket, head) => {
      const identify = async (): Promise<string | undefined> => ((await isKnown(request)) ? label : undefined)
      void this.#upgrade(request, socket, head, policy, identify)
    })
  }

  /** A client that does not read its file is disconnected, as a page is that does not answer. */
  #watchIdle(socket: Socket, ms: number): void {
    const readSign = (): unknown => socket.bytesRead + socket.bytesWritten
    const end = silence(ms, { readSign, keepsAlive: false }, () => socket.destroy())
    this.#idle.set(socket, end)
    socket.once('close', end)
  }

  /** @throws {BusError} InvalidParams if pages have the server already: both would answer each WebSocket */
  #attach(server: Server): void {
    if (attached.has(server)) {
      throw new BusError(
        'InvalidParams',
        'serveFrontends: server has the pages of another serveFrontends, which must close first',
      )
    }
    attached.add(server)
    const policy = new RequestPolicy(undefined, this.#config.origins)
    const isOwn = (request: IncomingMessage): boolean => getRequestUrl(request).pathname === BASE_PATH
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      if (isOwn(request)) {
        const identify = async (): Promise<string | undefined> => this.#config.authenticate!(request)
        return void this.#upgrade(request, socket, head, policy, identify)
      }
      if (server.listenerCount('upgrade') === 1) serveWithoutUpgrade(server, request, socket, head)
    }
    server.on('upgrade', onUpgrade)
    // Without a listener Node serves such a request as any other. This says which need one, from Node 22.21 and 24.9 on.
    const upgrades = server as { shouldUpgradeCallback?: (request: IncomingMessage) => boolean }
    const isUpgrade = upgrades.shouldUpgradeCallback
    const isOwnOrUpgrade = (request: IncomingMessage): boolean =>
      isOwn(request) || (server.listenerCount('upgrade') > 1 && isUpgrade!.call(server, request))
    if (isUpgrade) upgrades.shouldUpgradeCallback = isOwnOrUpgrade
    const restoreClose = this.#closePagesWith(server)
    this.#detach = () => {
      restoreClose()
      attached.delete(server)
      server.off('upgrade', onUpgrade)
      // The host can have replaced it since.
      if (upgrades.shouldUpgradeCallback === isOwnOrUpgrade) upgrades.shouldUpgradeCallback = isUpgrade!
    }
  }

  /**
   * Disconnects all pages when the host closes the server: it would wait for their WebSockets, which Node counts as connections. Node emits
   * no event for that, and its `closeAllConnections` does not know them. Returns a function that undoes this.
   */
  #closePagesWith(server: Server): () => void {
    const { close } = server
    const closeWithPages: Server['close'] = callback => {
      this.#isServerClosed = true
      this.#forEachPage(page => page.refuse(CLOSE_GOING_AWAY, 'The server was closed.'))
      return close.call(server, callback)
    }
    const onListening = (): void => void (this.#isServerClosed = false)
    server.close = closeWithPages
    server.on('listening', onListening)
    return () => {
      server.off('listening', onListening)
      // The host can have replaced it since.
      if (server.close === closeWithPages) server.close = close
    }
  }

  async #createService(
    label: string,
    { dir, csp, scripts: files }: PageConfig,
    access: Pick<PageService, 'requestPolicy' | 'isKnown' | 'token'>,
  ): Promise<PageService> {
    const webview = getWebviewConfig(this.#bus)
    return {
      ...access,
      dir,
      contentPolicy: new ContentPolicy({ csp, webview, isDev: isDevMode(this.#bus) }),
      receiveReport: createReportReceiver(label, this.#log),
      scripts: await PageScripts.create({
        ...{ label, files, webview, log: this.#log },
        getInitScripts: () => getInitScripts(this.#bus),
      }),
      assets: this.#assets,
      getPageScript: () => {
        const page = this.#labels.get(label)
        if (!page) return undefined
        const greeting = JSON.stringify(createGreeting(page.frontend.client, this.#config))
        return `{const SALLYPORT_GREETING=${greeting};\n${this.#pageScript}}`
      },
      windowScript: this.#windowScript,
    }
  }

  /** @param identify - returns the label of the page */
  async #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    policy: RequestPolicy,
    identify: () => Promise<string | undefined>,
  ): Promise<void> {
    // A WebSocket must not keep the process alive, and its errors are those of the page.
    const onError = (): void => void socket.destroy()
    socket.on('error', onError)
    this.#idle.get(socket)?.()
    const endWait = silence(UPGRADE_TIMEOUT_MS, {}, () => socket.destroy())
    try {
      const { pathname } = getRequestUrl(request)
      const tab = request.headers['sec-websocket-protocol'] ?? ''
      const refusal = policy.checkUpgrade(request)
      if (refusal) return this.#refuseUpgrade(socket, request, refusal)
      if (pathname !== BASE_PATH || !TAB.test(tab)) return this.#refuseUpgrade(socket, request, NO_SOCKET)
      const label = await identify()
      if (this.#isServerClosed) return this.#refuseUpgrade(socket, request, SERVER_CLOSED)
      const pages = label === undefined ? undefined : this.#labels.get(label)
      if (!pages) {
        if (this.#refusals.clients.size >= MAX_PAGE_REFUSALS || !this.#refusalHandshakes.take()) {
          return this.#refuseUpgrade(socket, request, NO_LABEL)
        }
        this.#logRefusal(request, NO_LABEL)
        // A browser hides the status of a refused WebSocket from the page, which has to know that its user must log in.
        return this.#refusals.handleUpgrade(request, socket, head, accepted =>
          accepted.on('error', onError).close(CLOSE_DENIED, NO_LABEL.text),
        )
      }
      if (pages.sockets.size >= this.#config.maxConnections) {
        return this.#refuseUpgrade(socket, request, TOO_MANY_PAGES)
      }
      if (!pages.handshakes.take()) return this.#refuseUpgrade(socket, request, TOO_MANY_HANDSHAKES)
      this.#sockets.handleUpgrade(request, socket, head, accepted => {
        socket.off('error', onError)
        this.#accept(pages, accepted, socket, tab)
      })
    } catch (error) {
      this.#log.warn(`A page could not be admitted: ${describeThrown(error)}`)
      this.#refuseUpgrade(socket, request, { status: 500, text: 'The page could not be checked.' })
    } finally {
      endWait()
    }
  }

  #accept(pages: PageLabel, accepted: WebSocket, socket: Duplex, tab: string): void {
    const page = new PageSocket(accepted, socket, tab, this.#config, pages.incomplete)
    pages.sockets.add(page)
    void page.closed.then(() => pages.sockets.delete(page))
    pages.admit(page).catch((error: unknown) => {
      this.#log.warn(`A page could not be connected: ${describeThrown(error)}`)
      page.terminate()
    })
  }

  #logRefusal({ headers, url }: IncomingMessage, { status, text }: Refusal): void {
    this.#log.debug({ status, origin: headers.origin, path: url?.split('?')[0] }, `A page was refused: ${text}`)
  }

  #refuseUpgrade(socket: Duplex, request: IncomingMessage, refusal: Refusal): void {
    this.#logRefusal(request, refusal)
    const { status, text } = refusal
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n`
    socket.end(`${head}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`, () => socket.destroy())
  }

  #onFailure(error: unknown, response: ServerResponse): void {
    // The browser has closed the connection.
    if ((error as { code?: string }).code !== 'ERR_STREAM_PREMATURE_CLOSE') {
      this.#log.warn(`A file could not be served: ${describeThrown(error)}`)
    }
    if (response.headersSent) response.destroy()
    else refuse(response, { status: 500, text: 'The file could not be served.' })
  }

  async #close(): Promise<void> {
    this.#endHeartbeat()
    this.#detach()
    for (const server of this.#servers) server.close()
    await Promise.all([...this.#labels.values()].map(pages => pages.close()))
    this.#forEachPage(page => page.terminate())
    this.#refusals.close()
    for (const socket of this.#refusals.clients) socket.terminate()
    for (const server of this.#servers) server.closeAllConnections()
    this.#closed.resolve()
  }
}

const NO_LABEL: Refusal = {
  status: 401,
  text: 'The page was not admitted. Log in, or open the URL of serveFrontends: each run has a new token.',
}
const NO_SOCKET: Refusal = { status: 404, text: 'There is no such WebSocket.' }
const SERVER_CLOSED: Refusal = { status: 503, text: 'The server was closed.' }
const TOO_MANY_PAGES: Refusal = { status: 503, text: 'Too many pages are connected.' }
const TOO_MANY_HANDSHAKES: Refusal = { status: 429, text: 'Too many pages connect at once.' }

/** @throws {BusError} InvalidParams if the data cannot be sent to a page */
function checkData(label: string, data: unknown): void {
  try {
    JSON.stringify(data)
  } catch (cause) {
    const text = `serveFrontends: frontends.${label}.data cannot be serialized as JSON: ${describeThrown(cause)}`
    throw new BusError('InvalidParams', text, { cause })
  }
}

/** Headers that Node keeps of a request, unless the server has a maximum of its own. */
const MAX_HEADERS = 1000

/** Lets a server read a request again, without the `Upgrade` header: its handlers, limits and timeouts apply. */
function serveWithoutUpgrade(
  server: Server,
  { method, url, httpVersion, headers, rawHeaders }: IncomingMessage,
  socket: Duplex,
  rest: Buffer,
): void {
  // Node drops headers beyond the maximum. One of them can have the length of the body, which would be read as a request.
  if (rawHeaders.length >= 2 * (server.maxHeadersCount || MAX_HEADERS)) {
    return void socket.end(`HTTP/1.1 431 ${STATUS_CODES[431]}\r\nConnection: close\r\n\r\n`, () => socket.destroy())
  }
  // Nothing after this request is read.
  let head = `${method} ${url} HTTP/${httpVersion}\r\nConnection: close\r\n`
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (!/^(?:upgrade|connection)$/i.test(rawHeaders[at]!)) head += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`
  }
  // Node would answer this request with 400 because of bytes that follow its body.
  const body = headers['transfer-encoding'] ? rest : rest.subarray(0, Number(headers['content-length'] ?? 0))
  socket.unshift(Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]))
  server.emit('encrypted' in socket ? 'secureConnection' : 'connection', socket)
}
