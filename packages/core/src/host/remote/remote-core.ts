// Core in another process, as the endpoint of this process's frontends. It comes and goes with the network, which is not a failure
// of the frontends. Each link of a frontend is bridged to a session of its own, and dialing is retried until core answers.
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { MessagePort } from 'node:worker_threads'
import {
  bridge,
  BusError,
  CHANNEL_READ_AHEAD,
  closeEndpoint,
  describeName,
  getBackoff,
  isBusError,
  openLink,
} from '@sallyport/protocol/internal'
import type { CodecName, Link, SessionKey } from '@sallyport/protocol/internal'
import type { LinkOffer } from '../../contract/host-core.js'
import type { RemoteSession, SessionDialer } from '../../contract/core-network.js'
import type { FrontendHandle } from '../frontends/frontend-handle.js'
import type { Frontends } from '../frontends/frontends.js'
import type { CoreEndpoint, HostServices } from '../frontends/types.js'

/** Time for one answer. A transport that never answers is dialed again. */
const DIAL_TIMEOUT_MS = 10_000

export interface RemoteCoreDeps extends Pick<HostServices, 'log' | 'reporter'> {
  dialer: SessionDialer
  /** Milliseconds for the first link of a frontend; later ones are dialed until core answers. */
  firstLinkTimeout: number
}

export class RemoteCore implements CoreEndpoint {
  readonly isInProcess = false
  readonly isRemote = true
  isUp = true
  frontends: Frontends | undefined
  readonly #deps: RemoteCoreDeps
  readonly #sessions = new Map<string, ReconnectingSession>()
  /** Sessions of frontends that are gone, until the last of their messages is sent. */
  readonly #ending = new Set<ReconnectingSession>()

  constructor(deps: RemoteCoreDeps) {
    this.#deps = deps
  }

  attach(offer: LinkOffer): void {
    const name = offer.label!
    let session = this.#sessions.get(name)
    if (!session) {
      session = new ReconnectingSession(name, this.#deps, () => this.frontends?.get(name))
      this.#sessions.set(name, session)
    }
    session.attach(offer)
  }

  post({ type, label: name }: { type: 'begin' | 'end'; label: string }): void {
    const session = this.#sessions.get(name)
    if (type === 'begin') return session?.begin()
    if (!session) return
    this.#sessions.delete(name)
    session.end()
    this.#ending.add(session)
    void session.closed().then(() => this.#ending.delete(session))
  }

  /**
   * Resolves once the frontends have exited and every session is closed.
   *
   * @param timeout - milliseconds for what the frontends have sent: a core that takes nothing would hold it forever
   */
  async close(exited: Promise<void>, timeout: number): Promise<void> {
    this.isUp = false
    const timer = setTimeout(() => this.#getSessions().forEach(session => session.close()), timeout)
    await exited
    await Promise.all(this.#getSessions().map(session => session.closed()))
    clearTimeout(timer)
  }

  #getSessions(): ReconnectingSession[] {
    return [...this.#sessions.values(), ...this.#ending]
  }
}

/** The session of one frontend with core. */
class ReconnectingSession {
  readonly #backoff = new Backoff()
  /** The latest bridge that was opened; it can be closed already. */
  #current: SessionBridge | undefined
  #dialing: SessionBridge | undefined
  readonly #bridges = new Set<SessionBridge>()

  /** @param getFrontend - returns the frontend, unless it is gone */
  constructor(
    readonly name: string,
    readonly deps: RemoteCoreDeps,
    readonly getFrontend: () => FrontendHandle | undefined,
  ) {}

  /** Dials a session for a new link. The previous link stays connected until the new one is. */
  attach(offer: LinkOffer): void {
    this.#dialing?.abortDialing()
    const opened = new SessionBridge(this, offer)
    this.#dialing = opened
    this.#bridges.add(opened)
    void opened.closed.then(() => this.#bridges.delete(opened))
  }

  begin(): void {
    this.#current?.begin()
  }

  end(): void {
    this.#dialing?.abortDialing()
    this.#current?.end()
  }

  /** Closes all links without waiting for what is still to be sent. */
  close(): void {
    for (const opened of this.#bridges) opened.close()
  }

  async closed(): Promise<void> {
    await Promise.all([...this.#bridges].map(opened => opened.closed))
  }

  opened(bridged: SessionBridge): void {
    this.#current?.retire()
    this.#current = bridged
    this.#dialing = undefined
    this.#backoff.opened()
    this.deps.log.debug({ label: this.name }, 'connected to core')
    this.getFrontend()?.attached(bridged.id)
  }

  /**
   * @throws {BusError} what `SessionDialer.open` throws, except for `Disconnected`, unless the time for a first link is over;
   * InvalidParams for `readAhead`, which a session does not carry to its core
   */
  async dial(offer: LinkOffer, unneeded: AbortSignal): Promise<RemoteSession> {
    const { codec, isFirst, readAhead = CHANNEL_READ_AHEAD } = offer
    if (readAhead !== CHANNEL_READ_AHEAD) {
      const text = 'readAhead is not available in a joined process: core sends up to 4 MiB ahead. Remove the option'
      throw new BusError('InvalidParams', text)
    }
    const { firstLinkTimeout, log } = this.deps
    const signal = isFirst ? AbortSignal.any([unneeded, AbortSignal.timeout(firstLinkTimeout)]) : unneeded
    let cause: BusError | undefined
    for (;;) {
      try {
        await delay(this.#backoff.next(), undefined, { signal })
        return await this.#dialOnce(codec, signal)
      } catch (error) {
        if (unneeded.aborted) throw error
        if (signal.aborted) {
          const reason = cause ? `: ${cause.message}` : ''
          const message = `core did not answer ${describeName(this.name)} within ${firstLinkTimeout} ms${reason}`
          throw new BusError('Disconnected', message, { data: { delivered: 'no' }, cause })
        }
        if (!isBusError(error, 'Disconnected')) throw error
        cause = error
        log.debug({ label: this.name, err: error }, 'core did not answer: dialing again')
      }
    }
  }

  async #dialOnce(codec: CodecName, signal: AbortSignal): Promise<RemoteSession> {
    const attempt = new AbortController()
    const abandon = (): void => attempt.abort()
    const timer = setTimeout(abandon, DIAL_TIMEOUT_MS)
    signal.addEventListener('abort', abandon)
    const opening = this.deps.dialer.open({ label: this.name, codec, signal: attempt.signal })
    const abandoned = once(attempt.signal, 'abort').then(() => {
      // A session that arrives too late is closed.
      opening.then(
        session => session.link.close(),
        () => {},
      )
      const text = `core did not answer within ${DIAL_TIMEOUT_MS} ms`
      throw new BusError('Disconnected', text, { data: { delivered: 'no' } })
    })
    try {
      return await Promise.race([opening, abandoned])
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abandon)
    }
  }
}

/**
 * Linger timeout: how long to keep flushing, and to wait for the report that the frontend is gone, after the frontend's end has
 * closed or the link was replaced. The report comes a moment after the close and travels over the session; and a core that takes
 * nothing would hold the last messages forever.
 */
const LINGER_MS = 2000

/** One link of the frontend, bridged to the session that was dialed for it. Each end closes with the other. */
class SessionBridge {
  readonly id: number
  readonly closed: Promise<void>
  readonly #owner: ReconnectingSession
  readonly #offer: LinkOffer
  readonly #dialing = new AbortController()
  #state: 'dialing' | 'open' | 'frontendClosed' | 'closed' = 'dialing'
  #isRetired = false
  #session: RemoteSession | undefined
  #frontendLink: Link | undefined
  #lingerTimer: NodeJS.Timeout | undefined

  constructor(owner: ReconnectingSession, offer: LinkOffer) {
    this.id = offer.id
    this.#owner = owner
    this.#offer = offer
    this.closed = this.#run()
  }

  begin(): void {
    this.#session?.begin()
  }

  /** Reports that the frontend is gone, and closes the link within the linger timeout. */
  end(): void {
    this.abortDialing()
    if (this.#state === 'closed') return
    this.#session?.end()
    this.retire()
  }

  /** Closes the link within the linger timeout, because the frontend is gone or has another link. */
  retire(): void {
    if (!this.#session || this.#state === 'closed') return
    this.#isRetired = true
    if (this.#state === 'frontendClosed') this.#session.link.close()
    this.#lingerTimer ??= setTimeout(() => this.close(), LINGER_MS)
  }

  abortDialing(): void {
    if (!this.#session) this.#dialing.abort()
  }

  close(): void {
    this.abortDialing()
    this.#frontendLink?.close()
    this.#session?.link.close()
  }

  async #run(): Promise<void> {
    const { endpoint, keyPort, hasStarted } = this.#offer
    const session = await this.#open()
    if (!session) {
      closeEndpoint(endpoint)
      keyPort?.close()
      this.#state = 'closed'
      this.#owner.getFrontend()?.closed(this.id)
      return
    }
    this.#session = session
    this.#state = 'open'
    handOverKey(session.key, keyPort)
    if (hasStarted) session.begin()
    this.#frontendLink = openLink(endpoint, false)
    const bridged = bridge(this.#frontendLink, session.link, fault => this.#onFrontendClosed(session, fault))
    this.#owner.opened(this)
    const { first, far: fault } = await bridged
    this.#state = 'closed'
    clearTimeout(this.#lingerTimer)
    if (first === 'near') return
    const { name, deps } = this.#owner
    if (fault) deps.reporter.reportFault(name, fault)
    deps.log.info({ label: name }, 'session with core ended: reconnecting')
    this.#owner.getFrontend()?.disconnected(this.id)
  }

  async #open(): Promise<RemoteSession | undefined> {
    const { signal } = this.#dialing
    try {
      const session = await this.#owner.dial(this.#offer, signal)
      if (!signal.aborted) return session
      session.link.close()
    } catch (error) {
      if (!signal.aborted) this.#owner.getFrontend()?.rejected(this.id, error as BusError)
    }
    return undefined
  }

  #onFrontendClosed(session: RemoteSession, fault: BusError | undefined): void {
    const { name, deps } = this.#owner
    this.#state = 'frontendClosed'
    if (fault) {
      deps.reporter.reportFault(name, fault)
      this.#owner.getFrontend()?.protocolError(this.id, fault)
    }
    this.#owner.getFrontend()?.closed(this.id)
    if (this.#isRetired) session.link.close()
    else this.#lingerTimer = setTimeout(() => this.close(), LINGER_MS)
  }
}

/** Transfers a copy to the gate, because the original can be part of a larger buffer, and wipes the original. */
function handOverKey({ session, secret }: SessionKey, gate: MessagePort | undefined): void {
  if (gate) {
    const key: SessionKey = { session: Uint8Array.from(session), secret: Uint8Array.from(secret) }
    gate.postMessage(key, [key.secret.buffer as ArrayBuffer])
    gate.close()
  }
  secret.fill(0)
}

const BACKOFF_MS = { min: 100, max: 5000 }
/** A session that was open for this long resets the backoff. Longer than any delay, so that two sessions of one label do not alternate. */
const STABLE_SESSION_MS = 30_000

/** Exponential backoff with jitter. Sessions that are refused or end soon cost core little; the first attempt is immediate. */
export class Backoff {
  readonly #now: () => number
  readonly #random: () => number
  #failures: number | undefined
  #openedAt: number | undefined

  /** For tests, with a clock and a random source of their own. */
  constructor(now: () => number = () => performance.now(), random: () => number = Math.random) {
    this.#now = now
    this.#random = random
  }

  opened(): void {
    this.#openedAt = this.#now()
  }

  next(): number {
    const wasStable = this.#openedAt !== undefined && this.#now() - this.#openedAt >= STABLE_SESSION_MS
    this.#openedAt = undefined
    this.#failures = this.#failures === undefined ? 0 : wasStable ? 1 : this.#failures + 1
    return this.#failures === 0 ? 0 : getBackoff(this.#failures - 1, { ...BACKOFF_MS, random: this.#random() })
  }
}
