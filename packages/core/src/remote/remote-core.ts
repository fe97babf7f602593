// Core in another process, as the endpoint of this process's frontends. It comes and goes with the network, which is not a failure
// of the frontends.
import type { Attachment } from '../contract/control.js'
import type { CoreEndpoint, CoreEndpointEvents } from '../host/frontends/types.js'
import { ReconnectingSession, type ReconnectingSessionDeps } from './session.js'

export class RemoteCore implements CoreEndpoint {
  readonly isInProcess = false
  readonly isRemote = true
  isUp = true
  readonly #deps: Omit<ReconnectingSessionDeps, 'events'>
  #events!: CoreEndpointEvents
  readonly #sessions = new Map<string, ReconnectingSession>()
  /** Sessions of frontends that are gone, until the last of their messages is sent. */
  readonly #ending = new Set<ReconnectingSession>()

  constructor(deps: Omit<ReconnectingSessionDeps, 'events'>) {
    this.#deps = deps
  }

  subscribe(events: CoreEndpointEvents): void {
    this.#events = events
  }

  attach(attachment: Attachment): void {
    const name = attachment.label!
    let session = this.#sessions.get(name)
    if (!session) {
      session = new ReconnectingSession(name, { ...this.#deps, events: this.#events })
      this.#sessions.set(name, session)
    }
    session.attach(attachment)
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
