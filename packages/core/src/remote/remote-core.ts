// Core in another process, as the frontends of this one are joined to it. It comes and goes with the network, and none of that is
// a failure of theirs.
import { BusError } from '@sallyport/protocol'
import type { Attachment } from '../contract/control.js'
import type { CoreEndpoint } from '../host/frontends/types.js'
import type { BusReporter } from '../host/reporting/events.js'
import type { Logger } from '../host/reporting/log.js'
import { type SessionDialer, ReconnectingSession, type ReconnectingSessionDeps } from './session.js'

export interface RemoteCoreDeps {
  log: Logger
  reporter: BusReporter
  /** Its link can be handed out. */
  attached(label: string, link: number): void
  /** No link will be. */
  refused(label: string, link: number, error: Error): void
  /** It needs another. */
  lost(label: string, link: number): void
  /** Its own end has closed. */
  closed(label: string, link: number): void
  /** It has sent, over that link, what no honest one would. */
  broken(label: string, link: number, error: Error): void
}

/** A frontend whose first link is waited for. */
interface Awaited {
  timer?: NodeJS.Timeout
}

export class RemoteCore implements CoreEndpoint {
  /** The bridges are in this thread. */
  readonly isHere = true
  readonly isFar = true
  isUp = true
  readonly #far: SessionDialer
  readonly #host: RemoteCoreDeps
  readonly #timeout: number
  readonly #ways = new Map<string, ReconnectingSession>()
  /** Of frontends that are gone, until the last of what they have sent is. */
  readonly #leaving = new Set<ReconnectingSession>()
  readonly #awaited = new Map<string, Awaited>()

  /** @param timeout milliseconds for the first link of a frontend */
  constructor(far: SessionDialer, host: RemoteCoreDeps, timeout: number) {
    this.#far = far
    this.#host = host
    this.#timeout = timeout
  }

  /** Opens a frontend whose first link must come in time: else it is refused, with `Disconnected`. */
  async within<T>(label: string, open: () => Promise<T>): Promise<T> {
    if (this.#awaited.has(label)) return open()
    const awaited: Awaited = {}
    this.#awaited.set(label, awaited)
    try {
      return await open()
    } finally {
      clearTimeout(awaited.timer)
      this.#awaited.delete(label)
    }
  }

  attach(attachment: Attachment): void {
    const label = attachment.label!
    let way = this.#ways.get(label)
    if (!way) this.#ways.set(label, (way = this.#makeWay(label)))
    way.attach(attachment)
    const awaited = this.#awaited.get(label)
    if (!awaited) return
    clearTimeout(awaited.timer)
    awaited.timer = setTimeout(() => this.#refuseLate(label, attachment.id), this.#timeout)
  }

  post({ type, label }: { type: 'begin' | 'end'; label: string }): void {
    const way = this.#ways.get(label)
    if (type === 'begin') return way?.begin()
    if (!way) return
    this.#ways.delete(label)
    way.end()
    this.#leaving.add(way)
    void way.over().then(() => this.#leaving.delete(way))
  }

  /**
   * Resolves once the frontends have gone, and every session has ended.
   *
   * @param timeout milliseconds for what they have sent: a core that takes nothing would hold them for ever
   */
  async close(gone: Promise<void>, timeout: number): Promise<void> {
    this.isUp = false
    const timer = setTimeout(() => this.#all.forEach(way => way.close()), timeout)
    await gone
    await Promise.all(this.#all.map(way => way.over()))
    clearTimeout(timer)
  }

  get #all(): ReconnectingSession[] {
    return [...this.#ways.values(), ...this.#leaving]
  }

  #makeWay(label: string): ReconnectingSession {
    const { log, attached, refused } = this.#host
    const host: ReconnectingSessionDeps = {
      far: this.#far,
      log,
      opened: id => {
        clearTimeout(this.#awaited.get(label)?.timer)
        log.debug({ label }, 'is joined to core')
        attached(label, id)
      },
      refused: (id, error) => refused(label, id, error),
      closed: (id, fault) => this.#closed(label, id, fault),
      lost: (id, fault) => this.#lost(label, id, fault),
    }
    return new ReconnectingSession(label, host)
  }

  #closed(label: string, id: number, fault: BusError | undefined): void {
    const { reporter, closed, broken } = this.#host
    if (fault) {
      reporter.reportFault(label, fault)
      broken(label, id, fault)
    }
    closed(label, id)
  }

  #lost(label: string, id: number, fault: BusError | undefined): void {
    const { log, reporter, lost } = this.#host
    if (fault) reporter.reportFault(label, fault)
    log.info({ label }, 'its link to core has ended: another takes its place')
    lost(label, id)
  }

  #refuseLate(label: string, id: number): void {
    const cause = this.#ways.get(label)?.cause
    const why = cause ? `: ${cause.message}` : ''
    const text = `core has not answered ${JSON.stringify(label)} for ${this.#timeout} ms${why}`
    this.#host.refused(label, id, new BusError('Disconnected', text, { data: { delivered: 'no' }, cause }))
  }
}
