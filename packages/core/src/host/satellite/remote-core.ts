// Core in another process, as the frontends of this one are joined to it. It comes and goes with the network, and none of that is
// a failure of theirs.
import { BusError } from '@sallyport/protocol'
import type { Attachment } from '../../control.js'
import type { BridgeEnd } from '../../bridge.js'
import type { CoreSide } from '../core-side.js'
import type { Logger } from '../log.js'
import type { Teller } from '../teller.js'
import type { FarCore } from './far-core.js'
import { Way, type WayHost } from './way.js'

/** Milliseconds for what a frontend's last frames may take. */
const PATIENCE_MS = 2000

export interface RemoteHost {
  log: Logger
  teller: Teller
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

export class RemoteCore implements CoreSide {
  /** The bridges are in this thread. */
  readonly isHere = true
  isUp = true
  readonly #far: FarCore
  readonly #host: RemoteHost
  readonly #timeout: number
  readonly #ways = new Map<string, Way>()
  /** Of frontends that are gone, until the last of what they have sent is. */
  readonly #leaving = new Set<Way>()
  readonly #awaited = new Map<string, Awaited>()

  /** @param timeout milliseconds for the first link of a frontend */
  constructor(far: FarCore, host: RemoteHost, timeout: number) {
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

  /** After the frontends have gone. Resolves once every session has ended. */
  async close(): Promise<void> {
    this.isUp = false
    const all = [...this.#ways.values(), ...this.#leaving]
    const timer = setTimeout(() => all.forEach(way => way.close()), PATIENCE_MS)
    await Promise.all(all.map(way => way.over()))
    clearTimeout(timer)
  }

  #makeWay(label: string): Way {
    const { log, attached, refused } = this.#host
    const host: WayHost = {
      far: this.#far,
      log,
      opened: id => {
        clearTimeout(this.#awaited.get(label)?.timer)
        log.debug({ label }, 'is joined to core')
        attached(label, id)
      },
      refused: (id, error) => refused(label, id, error),
      ended: (id, end) => this.#ended(label, id, end),
    }
    return new Way(label, host)
  }

  #ended(label: string, id: number, { first, near, far }: BridgeEnd): void {
    const { log, teller, lost, closed, broken } = this.#host
    if (near) {
      teller.fault(label, near)
      broken(label, id, near)
    }
    if (first === 'near') return closed(label, id)
    if (far) teller.fault(label, far)
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
