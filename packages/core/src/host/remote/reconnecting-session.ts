// The session of one frontend with a remote core: dialed again, with growing delays, for each link that the frontend offers.
import { once } from 'node:events'
import type { MessagePort } from 'node:worker_threads'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { deadline, pause, type SessionKey, withDeadline } from '@sallyport/protocol/internal/contract'
import { BusError, describeName, isBusError } from '@sallyport/protocol/internal/errors'
import { bridge, closeEndpoint, openLink } from '@sallyport/protocol/internal/link'
import { CHANNEL_READ_AHEAD, type Link } from '@sallyport/protocol/internal/wire'
import type { LinkOffer } from '../../contract/host-core.js'
import type { RemoteSession, SessionDialer } from '../../contract/core-network.js'
import type { Frontend } from '../frontends/frontend.js'
import type { HostServices } from '../frontends/types.js'
import { createRestartPolicy } from '../supervision/policy.js'

/** Time for one answer. A transport that never answers is dialed again. */
const DIAL_TIMEOUT_MS = 10_000

/**
 * Linger timeout: how long to keep flushing, and to wait for the report that the frontend is gone, after the frontend's end has
 * closed or the link was replaced. The report comes a moment after the close and travels over the session; and a core that takes
 * nothing would hold the last messages forever.
 */
const LINGER_MS = 2000

export interface ReconnectingSessionDeps extends Pick<HostServices, 'log' | 'reporter'> {
  dialer: SessionDialer
  /** Milliseconds for the first link of a frontend; later ones are dialed until core answers. */
  firstLinkTimeout: number
}

export class ReconnectingSession {
  /** The delays begin again after a period that is longer than any of them, so that two sessions of one label do not alternate. */
  readonly #redials = createRestartPolicy({ intensity: Infinity, period: 30_000 })
  #hasDialed = false
  /** The latest bridge that was opened; it can be closed already. */
  #current: SessionBridge | undefined
  #dialing: SessionBridge | undefined
  readonly #bridges = new Set<SessionBridge>()
  /** Core was notified of the frontend's code. */
  #hasBegun = false

  /** @param getFrontend - returns the frontend, unless it is gone */
  constructor(
    readonly name: string,
    readonly deps: ReconnectingSessionDeps,
    readonly getFrontend: () => Frontend | undefined,
  ) {}

  /** Dials a session for a new link. The previous link stays connected until the new one is. */
  attach(offer: LinkOffer): void {
    this.#dialing?.drop()
    this.#hasBegun ||= offer.begun !== undefined
    const opened = new SessionBridge(this, offer)
    this.#dialing = opened
    this.#bridges.add(opened)
    void opened.closed.then(() => this.#bridges.delete(opened))
  }

  begin(): void {
    this.#hasBegun = true
    this.#current?.begin()
  }

  /** The frontend's code has ended. For other code, core is dialed at once. */
  end(): void {
    this.#dialing?.drop()
    this.#current?.end(this.#hasBegun)
    this.#hasBegun = this.#hasDialed = false
  }

  /** Closes all links without waiting for what is still to be sent. */
  close(): void {
    for (const opened of this.#bridges) opened.close()
  }

  async closed(): Promise<void> {
    await Promise.all([...this.#bridges].map(opened => opened.closed))
  }

  opened(bridged: SessionBridge): void {
    this.#current?.drop()
    this.#current = bridged
    this.#dialing = undefined
    this.deps.log.debug({ label: this.name }, 'connected to core')
    this.getFrontend()?.attached(bridged.id)
  }

  /**
   * @throws {BusError} what `SessionDialer.open` throws, except for `Disconnected`, unless the time for a first link is over;
   * InvalidParams for `readAhead`, which a session does not carry to its core
   */
  async dial(offer: LinkOffer, unneeded: AbortSignal): Promise<RemoteSession> {
    const { codec, readAhead = CHANNEL_READ_AHEAD } = offer
    if (readAhead !== CHANNEL_READ_AHEAD) {
      const text = 'readAhead is not available in a joined process: core sends up to 4 MiB ahead. Remove the option'
      throw new BusError('InvalidParams', text)
    }
    const dial = (late: AbortSignal): Promise<RemoteSession> => this.#dial(codec, unneeded, late)
    return this.#current ? dial(unneeded) : withDeadline(this.deps.firstLinkTimeout, dial)
  }

  async #dial(codec: CodecName, unneeded: AbortSignal, late: AbortSignal): Promise<RemoteSession> {
    const { firstLinkTimeout, log } = this.deps
    const signal = AbortSignal.any([unneeded, late])
    let cause: BusError | undefined
    for (;;) {
      try {
        await pause(this.#hasDialed ? this.#redials.next()! : 0, signal)
        this.#hasDialed = true
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
    const end = deadline(DIAL_TIMEOUT_MS, abandon)
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
      end()
      signal.removeEventListener('abort', abandon)
    }
  }
}

/**
 * - `closing`: the frontend's end has closed, and the host has not given the link up
 * - `draining`: the host has given it up; what was sent before still leaves
 */
type BridgeState = 'dialing' | 'open' | 'closing' | 'draining' | 'closed'

/** One link of a frontend, bridged to the session that was dialed for it. Each end closes with the other. */
class SessionBridge {
  readonly id: number
  readonly closed: Promise<void>
  readonly #owner: ReconnectingSession
  readonly #offer: LinkOffer
  readonly #dialing = new AbortController()
  #state: BridgeState = 'dialing'
  #session: RemoteSession | undefined
  #frontendLink: Link | undefined
  #endLinger: (() => void) | undefined

  constructor(owner: ReconnectingSession, offer: LinkOffer) {
    this.id = offer.id
    this.#owner = owner
    this.#offer = offer
    this.closed = this.#run(offer)
  }

  begin(): void {
    this.#session?.begin()
  }

  /** Reports that the frontend is gone, and closes the link within the linger timeout. */
  end(hasBegun: boolean): void {
    if (hasBegun && this.#state !== 'closed') this.#session?.end()
    this.drop()
  }

  /** Closes the link within the linger timeout, because the frontend is gone or has another link. */
  drop(): void {
    if (this.#state === 'dialing') {
      this.#state = 'draining'
      this.#discard()
    } else if (this.#state === 'open') this.#linger('draining')
    else if (this.#state === 'closing') this.#release()
  }

  close(): void {
    this.drop()
    this.#expire()
  }

  async #run({ endpoint, keyPort, begun }: LinkOffer): Promise<void> {
    const { deps, name } = this.#owner
    const session = await this.#owner.dial(this.#offer, this.#dialing.signal).catch((error: BusError) => {
      if (this.#state !== 'dialing') return
      this.#state = 'closed'
      this.#owner.getFrontend()?.rejected(this.id, error)
      this.#discard()
    })
    if (!session) return
    if (this.#dialing.signal.aborted) return session.link.close()
    this.#session = session
    handOverKey(session.key, keyPort)
    if (begun === 'now') session.begin()
    this.#frontendLink = openLink(endpoint, false)
    const bridged = bridge(this.#frontendLink, session.link, fault => this.#onFrontendClosed(fault))
    this.#state = 'open'
    this.#owner.opened(this)
    const { first, far: fault } = await bridged
    if (first === 'far' && fault) deps.reporter.reportFault(name, fault)
    this.#sessionEnded()
    this.#owner.getFrontend()?.linkEnded(this.id)
    this.#endLinger?.()
  }

  #onFrontendClosed(fault: BusError | undefined): void {
    const { name, deps } = this.#owner
    if (this.#state === 'open') this.#linger('closing')
    else if (this.#state === 'draining') this.#release()
    if (fault) {
      deps.reporter.reportFault(name, fault)
      this.#owner.getFrontend()?.violated(this.id, fault)
    }
    this.#owner.getFrontend()?.linkEnded(this.id)
  }

  #sessionEnded(): void {
    if (this.#state === 'closing' || this.#state === 'draining') return this.#release()
    if (this.#state !== 'open') return
    this.#state = 'closed'
    const { deps, name } = this.#owner
    deps.log.info({ label: name }, 'session with core ended: reconnecting')
    this.#owner.getFrontend()?.sessionEnded(this.id)
  }

  /** The link is not needed, or refused. */
  #discard(): void {
    const { endpoint, keyPort } = this.#offer
    this.#dialing.abort()
    closeEndpoint(endpoint)
    keyPort?.close()
    this.#owner.getFrontend()?.linkEnded(this.id)
  }

  #linger(state: 'closing' | 'draining'): void {
    this.#state = state
    this.#endLinger ??= deadline(LINGER_MS, () => this.#expire())
  }

  #expire(): void {
    if (this.#state !== 'closing' && this.#state !== 'draining') return
    this.#state = 'closed'
    this.#frontendLink?.close()
    this.#session?.link.close()
  }

  #release(): void {
    this.#state = 'closed'
    this.#endLinger?.()
    this.#session?.link.close()
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
