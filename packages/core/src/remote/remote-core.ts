// Core in another process, as the endpoint of this process's frontends. It comes and goes with the network, which is not a failure
// of the frontends.
import { BusError, describeName } from '@sallyport/protocol/internal'
import type { Attachment } from '../contract/control.js'
import type { CoreEndpoint, CoreEndpointEvents } from '../host/frontends/types.js'
import type { HostServices } from '../host/host-handle.js'
import { ReconnectingSession, type SessionDialer } from './session.js'

export class RemoteCore implements CoreEndpoint {
  readonly isInProcess = false
  readonly isRemote = true
  isUp = true
  readonly #dialer: SessionDialer
  readonly #services: HostServices
  readonly #firstLinkTimeout: number
  #events!: CoreEndpointEvents
  readonly #sessions = new Map<string, ReconnectingSession>()
  /** Sessions of frontends that are gone, until the last of their messages is sent. */
  readonly #ending = new Set<ReconnectingSession>()
  /** Frontends that are being opened and have to get their first link in time. */
  readonly #deadlines = new Map<string, { timer?: NodeJS.Timeout }>()

  /** @param firstLinkTimeout - milliseconds for the first link of a frontend */
  constructor(dialer: SessionDialer, services: HostServices, firstLinkTimeout: number) {
    this.#dialer = dialer
    this.#services = services
    this.#firstLinkTimeout = firstLinkTimeout
  }

  subscribe(events: CoreEndpointEvents): void {
    this.#events = events
  }

  /** Opens a frontend. It is rejected with `Disconnected` unless core takes its first link in time. */
  async withDeadline<T>(name: string, open: () => Promise<T>): Promise<T> {
    if (this.#deadlines.has(name)) return open()
    const deadline: { timer?: NodeJS.Timeout } = {}
    this.#deadlines.set(name, deadline)
    try {
      return await open()
    } finally {
      clearTimeout(deadline.timer)
      this.#deadlines.delete(name)
    }
  }

  attach(attachment: Attachment): void {
    const name = attachment.label!
    let session = this.#sessions.get(name)
    if (!session) {
      const { log, reporter } = this.#services
      session = new ReconnectingSession(name, { dialer: this.#dialer, log, reporter, events: this.#events })
      this.#sessions.set(name, session)
    }
    session.attach(attachment)
    const deadline = this.#deadlines.get(name)
    if (!deadline) return
    clearTimeout(deadline.timer)
    deadline.timer = setTimeout(() => this.#onDeadline(name, attachment.id), this.#firstLinkTimeout)
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

  #onDeadline(name: string, link: number): void {
    const session = this.#sessions.get(name)
    if (session?.isConnected(link)) return
    const cause = session?.lastError
    const reason = cause ? `: ${cause.message}` : ''
    const message = `core did not answer ${describeName(name)} within ${this.#firstLinkTimeout} ms${reason}`
    const error = new BusError('Disconnected', message, { data: { delivered: 'no' }, cause })
    this.#events.get(name)?.rejected(link, error)
  }
}
