// One link of a frontend, bridged to the session with a remote core that was dialed for it. Each end closes with the other.
import type { MessagePort } from 'node:worker_threads'
import type { BusError } from '@sallyport/protocol/internal/errors'
import { bridge, closeEndpoint, openLink } from '@sallyport/protocol/internal/link'
import type { Link } from '@sallyport/protocol/internal/wire'
import { deadline, type SessionKey } from '@sallyport/protocol/internal/contract'
import type { LinkOffer } from '../../contract/host-core.js'
import type { RemoteSession } from '../../contract/core-network.js'
import type { Frontend } from '../frontends/frontend.js'
import type { HostServices } from '../frontends/types.js'

/**
 * Linger timeout: how long to keep flushing, and to wait for the report that the frontend is gone, after the frontend's end has
 * closed or the link was replaced. The report comes a moment after the close and travels over the session; and a core that takes
 * nothing would hold the last messages forever.
 */
const LINGER_MS = 2000

/** The session of the frontend that the link belongs to. */
export interface SessionBridgeOwner {
  readonly name: string
  readonly deps: Pick<HostServices, 'log' | 'reporter'>
  /** Returns the frontend, unless it is gone. */
  getFrontend(): Frontend | undefined
  /** Resolves with a session for the link. Aborts when the link is no longer needed. */
  dial(offer: LinkOffer, unneeded: AbortSignal): Promise<RemoteSession>
  opened(bridge: SessionBridge): void
}

/**
 * - `closing`: the frontend's end has closed, and the host has not given the link up
 * - `draining`: the host has given it up; what was sent before still leaves
 */
type BridgeState = 'dialing' | 'open' | 'closing' | 'draining' | 'closed'

export class SessionBridge {
  readonly id: number
  readonly closed: Promise<void>
  readonly #owner: SessionBridgeOwner
  readonly #offer: LinkOffer
  readonly #dialing = new AbortController()
  #state: BridgeState = 'dialing'
  #session: RemoteSession | undefined
  #frontendLink: Link | undefined
  #endLinger: (() => void) | undefined

  constructor(owner: SessionBridgeOwner, offer: LinkOffer) {
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
