// Decides whether a request may be served: its host, its origin, and its token or what the host's own check says.
import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { isEqualSecret, toOneLoopback } from '@sallyport/protocol/internal/local-server'
import { parseForeignUrl } from '@sallyport/protocol/internal/util'

export interface Refusal {
  readonly status: number
  readonly text: string
}

const OTHER_SITE: Refusal = {
  status: 403,
  text: 'Requests of other sites are not allowed. Open the URL of serveFrontends from the address bar.',
}
const SERVICE_WORKER: Refusal = {
  status: 403,
  text: 'Service workers are not allowed. One would outlive this run, and answer for the pages of the next.',
}
const WRONG_METHOD: Refusal = { status: 405, text: 'Use GET or HEAD.' }
export const NO_TOKEN: Refusal = {
  status: 401,
  text: 'The token is missing or wrong. Open the URL of serveFrontends; each run has a new token.',
}

/** The 256 random bits that open the pages of one label for one run. They come in the URL once, and in a cookie from then on. */
export class PageToken {
  readonly #secret = randomBytes(32).toString('base64url')
  readonly #cookieName: string

  /** Browsers send cookies to every port of a host, so the name says which server has set it. */
  constructor(port: number, label: string) {
    this.#cookieName = `sallyport-${port}-${encodeURIComponent(label)}`
  }

  addTo(url: string): string {
    return `${url}?token=${this.#secret}`
  }

  /** The value of `Set-Cookie`. Scripts cannot read it, and requests that other sites cause do not have it. */
  get cookie(): string {
    return `${this.#cookieName}=${this.#secret}; Path=/; HttpOnly; SameSite=Strict`
  }

  isEqual(token: string): boolean {
    return isEqualSecret(token, this.#secret)
  }

  isInCookie({ headers }: IncomingMessage): boolean {
    for (const pair of (headers.cookie ?? '').split(';')) {
      const [name, value] = pair.trim().split('=', 2)
      if (name === this.#cookieName && this.isEqual(value ?? '')) return true
    }
    return false
  }

  /** True for a program that sends the token as a header. Browsers send none to a WebSocket, and other sites' pages cannot. */
  isInHeader({ headers }: IncomingMessage): boolean {
    const [, token] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? []
    return token !== undefined && this.isEqual(token)
  }
}

export class RequestPolicy {
  /** True for a server of the host's own, whose names are not known. */
  readonly #isAttached: boolean
  readonly #origins: ReadonlySet<string>
  readonly #hosts: ReadonlySet<string>

  /** @param port - the port on 127.0.0.1; `undefined` for a server of the host's own */
  constructor(port: number | undefined, origins: readonly string[]) {
    this.#isAttached = port === undefined
    const own = port === undefined ? [] : [parseForeignUrl(`http://localhost:${port}`)!.origin]
    this.#origins = new Set([...own, ...origins].map(toOneLoopback))
    this.#hosts = new Set(Array.from(this.#origins, origin => parseForeignUrl(origin)!.host))
  }

  /** Returns why a request for a file is refused: another user's page, or a name that resolves to 127.0.0.1 (DNS rebinding). */
  checkRequest({ method = '', headers }: IncomingMessage): Refusal | undefined {
    const refusal = this.#checkSite(headers)
    if (refusal) return refusal
    // Every browser sends this header when it registers or updates one.
    if (headers['service-worker'] !== undefined) return SERVICE_WORKER
    return method === 'GET' || method === 'HEAD' ? undefined : WRONG_METHOD
  }

  /** Returns why a browser's report on a page is refused. Its origin is `null`, because no request has a referrer. */
  checkReport({ headers }: IncomingMessage): Refusal | undefined {
    return this.#checkSite(headers.origin === 'null' ? { ...headers, origin: undefined } : headers)
  }

  /** Returns why a WebSocket is refused. Every browser sends the origin of the page that opens one. */
  checkUpgrade({ method, headers }: IncomingMessage): Refusal | undefined {
    const refusal = this.#checkHost(headers) ?? this.#checkOrigin(headers)
    if (refusal) return refusal
    if (headers.origin === undefined) return OTHER_SITE
    return method === 'GET' ? undefined : WRONG_METHOD
  }

  #checkSite(headers: IncomingHttpHeaders): Refusal | undefined {
    const { 'sec-fetch-site': site = 'none' } = headers
    const isOther = site !== 'same-origin' && site !== 'none'
    return this.#checkHost(headers) ?? this.#checkOrigin(headers) ?? (isOther ? OTHER_SITE : undefined)
  }

  #checkHost({ host = '' }: IncomingHttpHeaders): Refusal | undefined {
    if (this.#isAttached || this.#hosts.has(toOneLoopback(host))) return undefined
    // Behind a proxy without a port in its name, the scheme is most likely that of its default port.
    return refuse('Host header', host, `${/:\d+$/.test(host) ? 'http' : 'https'}://${host}`)
  }

  /** A proxy can end TLS before a server of the host's own, so that only host and port are compared there. */
  #checkOrigin({ origin, host }: IncomingHttpHeaders): Refusal | undefined {
    if (origin === undefined || this.#origins.has(toOneLoopback(origin))) return undefined
    const ownHost = this.#isAttached && parseForeignUrl(toOneLoopback(origin))?.host
    return ownHost && ownHost === toOneLoopback(host ?? '') ? undefined : refuse('origin', origin, origin)
  }
}

function refuse(what: string, seen: string, origin: string): Refusal {
  const remedy = ` If it is yours, pass origins: ['${origin}'] to serveFrontends.`
  const text = `The ${what} ${JSON.stringify(seen.slice(0, 200))} is not allowed.`
  return { status: 403, text: seen.length <= 200 && isOrigin(origin) ? text + remedy : text }
}

/** True for an origin as browsers send it. */
export function isOrigin(text: string): boolean {
  return parseForeignUrl(text)?.origin === text
}

export class RateLimit {
  readonly #max: number
  #left = 0
  #startedAt = -Infinity

  constructor(max: number) {
    this.#max = max
  }

  /** Returns false if the maximum is reached. */
  take(): boolean {
    const now = performance.now()
    if (now - this.#startedAt >= 1000) {
      this.#startedAt = now
      this.#left = this.#max
    }
    return this.#left-- > 0
  }
}
