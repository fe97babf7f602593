// Core in another process, as the endpoint of this process's frontends. It comes and goes with the network, which is not a failure
// of the frontends. Each link of a frontend is bridged to a session of its own:
//
// 1. `dialing`: with growing delays, until core answers; the previous link stays connected until then
// 2. `open`: frames pass between the frontend's link and the session's. If the session ends, the frontend offers another link
// 3. `closing`: the frontend's end has closed, and the host has not given the link up
// 4. `draining`: the host has given it up; what was sent before still leaves
// 5. `closed`
import type { MessagePort } from 'node:worker_threads'
import type {
  CoreCommand,
  CoreEndpoint,
  LinkOffer,
  RemoteFrontend,
  RemoteHost,
  RemoteHostOptions,
  RemoteServices,
} from '@sallyport/core/internal/network'
import { createRemoteHost } from '@sallyport/core/internal/network'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { deadline, pause, type SessionKey, silence, withDeadline } from '@sallyport/protocol/internal/contract'
import { BusError, describeName, isBusError } from '@sallyport/protocol/internal/errors'
import { bridge, closeEndpoint, openLink } from '@sallyport/protocol/internal/link'
import { getBackoff } from '@sallyport/protocol/internal/util'
import type { Link } from '@sallyport/protocol/internal/wire'

/** Opens sessions with core. */
export interface SessionDialer {
  /**
   * Opens a session for the frontend of this label, or for the pooled session of this name. Resolves once core has authenticated it.
   *
   * @param options.signal - aborts when the session is no longer needed: `open` rejects then
   * @throws {BusError} Disconnected if core does not answer in time, which is retried with growing delays. Any other error is final.
   */
  open(options: { label: string; codec: CodecName; signal: AbortSignal }): Promise<RemoteSession>
}

/** A session with a core in another process. */
export interface RemoteSession {
  readonly link: RemoteLink
  /** Key with which the gate seals, in the isolation pattern. It is wiped here once the gate has a copy. */
  readonly key: SessionKey
}

export interface RemoteLink extends Link {
  /** Reports that the frontend's code begins. */
  begin(): void
  /** Reports that the frontend is gone, and not only this link of it. The link is closed separately. */
  end(): void
}

/** Time for the first link of a frontend. */
const FIRST_LINK_TIMEOUT_MS = 10_000

/**
 * Runs frontends with their gates, and connections of this thread, over sessions with a core in another process. Resolves when core has accepted each
 * of `frontends`.
 *
 * @throws {BusError} InvalidParams for an unknown or wrong option, or one that belongs to core; Disconnected if no core answers within
 * 10 s; the error with which core rejects a frontend, and the error of a gate that cannot start
 */
export const startRemoteHost = (
  options: RemoteHostOptions,
  dialer: SessionDialer,
  firstLinkTimeout: number = FIRST_LINK_TIMEOUT_MS,
): Promise<RemoteHost<RemoteCore>> =>
  createRemoteHost(
    options,
    { where: 'joinBus', name: 'joined', subject: 'The joined bus' },
    ({ log, reporter }, frontends) => new RemoteCore({ dialer, firstLinkTimeout, log, reporter }, frontends),
  )

/**
 * Linger timeout: how long to keep flushing, and to wait for the report that the frontend is gone, after the frontend's end has
 * closed or the link was replaced. The report comes a moment after the close and travels over the session; and a core that takes
 * nothing would hold the last messages forever.
 */
const LINGER_MS = 2000
const REDIAL_PERIOD_MS = 30_000

export class RemoteCore implements CoreEndpoint {
  readonly isInProcess = false
  readonly isRemote = true
  readonly scripts: CoreEndpoint['scripts'] = []
  isUp = true
  readonly #frontends: ReadonlyMap<number, RemoteFrontend>
  readonly #deps: SessionDeps
  readonly #sessions = new Map<number, ReconnectingSession>()
  /** Sessions of frontends that are gone, until the last of their messages is sent. */
  readonly #ending = new Set<ReconnectingSession>()

  constructor(deps: SessionDeps, frontends: ReadonlyMap<number, RemoteFrontend>) {
    this.#deps = deps
    this.#frontends = frontends
  }

  attach(offer: LinkOffer): void {
    const frontend = offer.frontend!
    let session = this.#sessions.get(frontend)
    if (!session) {
      session = new ReconnectingSession(offer.label!, this.#deps, () => this.#frontends.get(frontend))
      this.#sessions.set(frontend, session)
    }
    session.attach(offer)
  }

  post(command: Extract<CoreCommand, { type: 'begin' | 'detach' | 'ended' }>): void {
    // The end of its session is all that core learns of a link.
    if (command.type === 'detach') return
    const { type, frontend } = command
    const session = this.#sessions.get(frontend)
    if (!session) return
    if (type === 'begin') return session.begin()
    session.end()
    if (command.next !== 'none') return
    this.#sessions.delete(frontend)
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
    const end = deadline(timeout, () => this.#getSessions().forEach(session => session.close()))
    await exited
    await Promise.all(this.#getSessions().map(session => session.closed()))
    end()
  }

  #getSessions(): ReconnectingSession[] {
    return [...this.#sessions.values(), ...this.#ending]
  }
}

interface SessionDeps extends RemoteServices {
  dialer: SessionDialer
  /** Milliseconds for the first link of a frontend; later ones are dialed until core answers. */
  firstLinkTimeout: number
}

/** The session of one frontend, dialed again for each link that it offers. */
class ReconnectingSession {
  #redials = 0
  #redialedAt = -Infinity
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
    readonly deps: SessionDeps,
    readonly getFrontend: () => RemoteFrontend | undefined,
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
   * @throws {BusError} what `SessionDialer.open` throws, except for `Disconnected`, unless the time for a first link is over
   */
  async dial(offer: LinkOffer, unneeded: AbortSignal): Promise<RemoteSession> {
    const { codec } = offer
    const dial = (late: AbortSignal): Promise<RemoteSession> => this.#dial(codec, unneeded, late)
    return this.#current ? dial(unneeded) : withDeadline(this.deps.firstLinkTimeout, dial)
  }

  async #dial(codec: CodecName, unneeded: AbortSignal, late: AbortSignal): Promise<RemoteSession> {
    const { firstLinkTimeout, log } = this.deps
    const signal = AbortSignal.any([unneeded, late])
    let cause: BusError | undefined
    for (;;) {
      try {
        await pause(this.#hasDialed ? this.#getRedialDelay() : 0, signal)
        this.#hasDialed = true
        return await this.deps.dialer.open({ label: this.name, codec, signal })
      } catch (error) {
        if (unneeded.aborted) throw error
        if (isBusError(error, 'Disconnected')) cause = error
        if (signal.aborted) {
          const reason = cause ? `: ${cause.message}` : ''
          const message = `core did not answer ${describeName(this.name)} within ${firstLinkTimeout} ms${reason}`
          throw new BusError('Disconnected', message, { data: { delivered: 'no' }, cause })
        }
        if (cause !== error) throw error
        log.debug({ label: this.name, err: error }, 'core did not answer: dialing again')
      }
    }
  }

  /** The delays begin again after a period that is longer than any of them, so that two sessions of one label do not alternate. */
  #getRedialDelay(): number {
    const now = performance.now()
    this.#redials = now - this.#redialedAt < REDIAL_PERIOD_MS ? this.#redials + 1 : 0
    this.#redialedAt = now
    return getBackoff(this.#redials, { min: 100, max: 5000, random: Math.random() })
  }
}

/** See the head of this file. */
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
    this.#session?.link.begin()
  }

  /** Reports that the frontend is gone, and closes the link within the linger timeout. */
  end(hasBegun: boolean): void {
    if (hasBegun && this.#state !== 'closed') this.#session?.link.end()
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
    if (begun === 'now') session.link.begin()
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
    const readSign = (): unknown => this.#session?.link.queued
    this.#endLinger ??= silence(LINGER_MS, { readSign }, () => this.#expire())
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
