// One link of a frontend, bridged to the session with a remote core that was dialed for it. Each end closes with the other.
import type { MessagePort } from 'node:worker_threads'
import type { BusError } from '@sallyport/protocol/internal/errors'
import { bridge, closeEndpoint, openLink } from '@sallyport/protocol/internal/link'
import type { Link } from '@sallyport/protocol/internal/wire'
import type { SessionKey } from '@sallyport/protocol/internal/contract'
import type { LinkOffer } from '../../contract/host-core.js'
import type { RemoteSession } from '../../contract/core-network.js'
import type { FrontendHandle } from '../frontends/frontend-handle.js'
import { LinkActor } from '../frontends/link-lifecycle.js'
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
  getFrontend(): FrontendHandle | undefined
  /** Resolves with a session for the link. Aborts when the link is no longer needed. */
  dial(offer: LinkOffer, unneeded: AbortSignal): Promise<RemoteSession>
  opened(bridge: SessionBridge): void
}

export class SessionBridge {
  readonly id: number
  readonly closed: Promise<void>
  readonly #owner: SessionBridgeOwner
  readonly #dialing = new AbortController()
  readonly #actor: LinkActor
  #session: RemoteSession | undefined
  #frontendLink: Link | undefined
  #lingerTimer: NodeJS.Timeout | undefined

  constructor(owner: SessionBridgeOwner, offer: LinkOffer) {
    this.id = offer.id
    this.#owner = owner
    const linger = (): void => void (this.#lingerTimer ??= setTimeout(() => this.#actor.send('expired'), LINGER_MS))
    this.#actor = new LinkActor({
      discard: () => {
        this.#dialing.abort()
        closeEndpoint(offer.endpoint)
        offer.keyPort?.close()
        owner.getFrontend()?.sendToLink(this.id, 'closed')
      },
      fail: error => owner.getFrontend()?.sendToLink(this.id, 'rejected', error),
      replace: () => {
        owner.deps.log.info({ label: owner.name }, 'session with core ended: reconnecting')
        owner.getFrontend()?.sendToLink(this.id, 'disconnected')
      },
      wait: linger,
      linger,
      release: () => {
        clearTimeout(this.#lingerTimer)
        this.#session?.link.close()
      },
      abort: () => {
        this.#frontendLink?.close()
        this.#session?.link.close()
      },
    })
    this.closed = this.#run(offer)
  }

  begin(): void {
    this.#session?.begin()
  }

  /** Reports that the frontend is gone, and closes the link within the linger timeout. */
  end(hasBegun: boolean): void {
    if (hasBegun && this.#actor.state !== 'closed') this.#session?.end()
    this.drop()
  }

  /** Closes the link within the linger timeout, because the frontend is gone or has another link. */
  drop(): void {
    this.#actor.send('dropped')
  }

  close(): void {
    this.drop()
    this.#actor.send('expired')
  }

  async #run(offer: LinkOffer): Promise<void> {
    const { endpoint, keyPort, hasStarted } = offer
    const session = await this.#owner.dial(offer, this.#dialing.signal).catch((error: BusError) => {
      this.#actor.send('rejected', error)
    })
    if (!session) return
    if (this.#dialing.signal.aborted) return session.link.close()
    this.#session = session
    this.#actor.send('attached')
    handOverKey(session.key, keyPort)
    if (hasStarted) session.begin()
    this.#frontendLink = openLink(endpoint, false)
    const bridged = bridge(this.#frontendLink, session.link, fault => this.#onFrontendClosed(fault))
    this.#actor.send('activated')
    this.#owner.opened(this)
    const { first, far: fault } = await bridged
    if (first === 'far' && fault) this.#owner.deps.reporter.reportFault(this.#owner.name, fault)
    this.#actor.send('disconnected')
    clearTimeout(this.#lingerTimer)
  }

  #onFrontendClosed(fault: BusError | undefined): void {
    const { name, deps } = this.#owner
    this.#actor.send('closed')
    if (fault) {
      deps.reporter.reportFault(name, fault)
      this.#owner.getFrontend()?.sendToLink(this.id, 'violated', fault)
    }
    this.#owner.getFrontend()?.sendToLink(this.id, 'closed')
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
