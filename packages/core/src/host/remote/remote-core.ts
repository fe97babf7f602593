// Core in another process, as the endpoint of this process's frontends. It comes and goes with the network, which is not a failure
// of the frontends. Each link of a frontend is bridged to a session of its own, and dialing is retried until core answers.
import { deadline } from '@sallyport/protocol/internal/contract'
import type { CoreCommand, LinkOffer } from '../../contract/host-core.js'
import type { Frontend } from '../frontends/frontend.js'
import type { CoreEndpoint } from '../frontends/types.js'
import { ReconnectingSession, type ReconnectingSessionDeps } from './reconnecting-session.js'

export class RemoteCore implements CoreEndpoint {
  readonly isInProcess = false
  readonly isRemote = true
  readonly scripts: CoreEndpoint['scripts'] = []
  isUp = true
  readonly #frontends: ReadonlyMap<number, Frontend>
  readonly #deps: ReconnectingSessionDeps
  readonly #sessions = new Map<number, ReconnectingSession>()
  /** Sessions of frontends that are gone, until the last of their messages is sent. */
  readonly #ending = new Set<ReconnectingSession>()

  constructor(deps: ReconnectingSessionDeps, frontends: ReadonlyMap<number, Frontend>) {
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

  post(command: Extract<CoreCommand, { type: 'begin' | 'detach' | 'idle' }>): void {
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
