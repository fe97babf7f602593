// Core in another process, as the endpoint of this process's frontends. It comes and goes with the network, which is not a failure
// of the frontends. Each link of a frontend is bridged to a session of its own, and dialing is retried until core answers.
import { deadline } from '@sallyport/protocol/internal/contract'
import { assertNever } from '@sallyport/protocol/internal/util'
import type { CoreCommand, LinkOffer } from '../../contract/host-core.js'
import type { OpenFrontends } from '../frontends/open-frontends.js'
import type { CoreEndpoint } from '../frontends/types.js'
import { ReconnectingSession, type ReconnectingSessionDeps } from './reconnecting-session.js'

export class RemoteCore implements CoreEndpoint {
  readonly isInProcess = false
  readonly isRemote = true
  readonly scripts: CoreEndpoint['scripts'] = []
  isUp = true
  readonly #frontends: OpenFrontends
  readonly #deps: ReconnectingSessionDeps
  readonly #sessions = new Map<string, ReconnectingSession>()
  /** Sessions of frontends that are gone, until the last of their messages is sent. */
  readonly #ending = new Set<ReconnectingSession>()

  constructor(deps: ReconnectingSessionDeps, frontends: OpenFrontends) {
    this.#deps = deps
    this.#frontends = frontends
  }

  attach(offer: LinkOffer): void {
    const name = offer.label!
    let session = this.#sessions.get(name)
    if (!session) {
      session = new ReconnectingSession(name, this.#deps, () => this.#frontends.get(name))
      this.#sessions.set(name, session)
    }
    session.attach(offer)
  }

  post(command: Extract<CoreCommand, { type: 'begin' | 'detach' | 'end' }>): void {
    // The end of its session is all that core learns of a link.
    if (command.type === 'detach') return
    const session = this.#sessions.get(command.label)
    switch (command.type) {
      case 'begin':
        return session?.begin()
      case 'end':
        if (!session) return
        this.#sessions.delete(command.label)
        session.end(command.hasBegun)
        this.#ending.add(session)
        return void session.closed().then(() => this.#ending.delete(session))
      default:
        return assertNever(command)
    }
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
