// One frontend, and what joins it to core: a link, and in the isolation pattern its gate. Its worker, its gate and core may each
// be started again: whichever comes back, all of them get new links and keys by the same operation, `wire`.
import { BusError, createLinkEnds, type LinkEnd } from '@sallyport/protocol'
import { MessageChannel } from 'node:worker_threads'
import { chooseLink, coresFor, hasCores } from './choose-link.js'
import type { CoreThread } from './core-thread.js'
import { startGate, type Gate, type GateHost } from './gates.js'
import type { ConnectionSettings } from './options.js'
import type { FrontendStats, WorkerStats } from './stats.js'
import type { Supervision } from './supervision.js'
import { Traffic } from './traffic.js'

export interface FrontendHost extends GateHost {
  readonly core: CoreThread
}

/** What a frontend's code runs in: a worker, or the host's own thread. */
export interface Guest {
  /** Its code begins with its first link; another takes the place of that one. */
  link(link: LinkEnd, gate: LinkEnd | undefined): void
  /** It can be linked. */
  readonly isUp: boolean
  /** It has done what no honest one would, or there is nothing more for it to call. A worker may be started again. */
  end(error: Error): void
  /** For good. */
  fail(error: Error): void
  stop(): Promise<unknown>
  readonly stats: WorkerStats
}

/** What a guest tells of itself. */
export interface GuestEvents {
  /** It has been started again: its code begins anew. */
  up(): void
  /** It has ended, and may be started again. */
  down(): void
  /** It has ended for good. */
  gone(error: Error | undefined): void
}

export interface FrontendParts {
  label: string
  settings: ConnectionSettings
  supervision: Supervision
  /** Its code runs already, and waits only for a link. */
  runs: boolean
  isProcess: boolean
  makeGuest(told: GuestEvents): Guest
  /** It is gone for good: its label is free. */
  left(): void
}

/** Links that were made, and whose ends wait here until core and the gate are ready for them. */
interface Wiring {
  readonly id: number
  readonly link: LinkEnd
  readonly gate: LinkEnd | undefined
  attached: boolean
}

/** Milliseconds in which one that has ended is heard of, where its link has ended before. */
const LATE_MS = 1000

let links = 0

export class Frontend {
  readonly label: string
  /** Resolves once it can be linked; rejects where that never comes. */
  readonly linkable: Promise<void>
  /** Resolves when it and its gate are gone for good, with what went wrong. */
  readonly gone: Promise<Error | undefined>
  readonly #host: FrontendHost
  readonly #parts: FrontendParts
  readonly #gate: Gate | undefined
  readonly #guest: Guest
  readonly #traffic = new Traffic()
  #canBeLinked!: () => void
  #cannotBeLinked!: (error: Error) => void
  #wiring: Wiring | undefined
  /** Of the link that it has. */
  #linked = 0
  #held = true
  #rejected = 0
  #closing: NodeJS.Timeout | undefined
  /** Core knows of it. */
  #isKnown = false
  /** The others have not been told of it. */
  #isNew = true

  constructor(host: FrontendHost, parts: FrontendParts) {
    const { label, supervision } = parts
    this.#host = host
    this.#parts = parts
    this.label = label
    if (host.options.pattern === 'isolation') {
      const own = gateSupervision(supervision, host.options.isolation.hookTimeout)
      this.#gate = startGate(label, own, host, {
        up: () => this.wire(),
        ready: () => this.#hand(),
        down: () => this.unwire(),
        broken: error => this.#guest.end(error),
        rejected: count => (this.#rejected += count),
        failed: error => {
          this.#cannotBeLinked(error)
          this.#guest.fail(error)
        },
      })
    }
    this.linkable = new Promise((resolve, reject) => {
      this.#canBeLinked = resolve
      this.#cannotBeLinked = reject
    })
    this.linkable.catch(() => {})
    let gone!: (error: Promise<Error | undefined>) => void
    this.gone = new Promise(resolve => (gone = resolve))
    this.#guest = parts.makeGuest({
      up: () => this.wire(),
      down: () => this.#left(),
      gone: error => {
        this.#left()
        this.#cannotBeLinked(error ?? endedEarly())
        parts.left()
        gone(Promise.resolve(this.#gate?.stop()).then(() => error))
      },
    })
    this.wire()
  }

  /** Makes new links and hands out their ends, where core, the gate and the guest are there: who is not is wired as it comes. */
  wire(): void {
    this.unwire()
    const { core, cipher } = this.#host
    if (!core.isUp || !this.#guest.isUp || this.#gate?.isUp === false) return
    const { label, settings, runs } = this.#parts
    const [there, link] = this.#makeEnds()
    const [inside, gate] = this.#gate ? this.#makeEnds() : []
    const key = this.#gate && new MessageChannel()
    if (inside && key) this.#gate!.link(inside, key.port2)
    const id = ++links
    this.#wiring = { id, link, gate, attached: false }
    const keyPort = key && { keyPort: key.port1 }
    this.#isKnown = true
    const meter = this.#traffic.renew()
    core.attach({ label, codec: settings.codec, end: there, id, runs: runs && this.#isNew, meter, cipher, ...keyPort })
  }

  /** What was not handed out is for nobody. */
  unwire(): void {
    this.#wiring?.link.port.close()
    this.#wiring?.gate?.port.close()
    this.#wiring = undefined
  }

  /** Core has the link of this number. */
  attached(id: number): void {
    if (this.#wiring?.id !== id) return
    this.#wiring.attached = true
    this.#hand()
  }

  /** What came over the link of this number was no honest one's. */
  broken(id: number, error: Error): void {
    if (this.#linked === id) this.#guest.end(error)
  }

  /** The link of this number has ended. With all that it joined still there, nothing would bring another. */
  closed(id: number): void {
    if (this.#linked !== id) return
    clearTimeout(this.#closing)
    this.#closing = setTimeout(() => {
      const isWired = this.#wiring || !this.#host.core.isUp || this.#gate?.isUp === false
      if (this.#linked !== id || isWired) return
      const error = new BusError('Disconnected', `The link of frontend ${this.label} to core has ended`)
      this.#host.teller.fault(this.label, error)
      this.#guest.end(error)
    }, LATE_MS).unref()
  }

  takeStats(): FrontendStats {
    const gate = this.#gate && { gate: this.#gate.stats }
    const traffic = this.#traffic.take(this.#host.core.isUp && this.#isKnown)
    return { ...this.#guest.stats, ...gate, rejected: this.#rejected, ...traffic }
  }

  /** Its code may begin. */
  start(): void {
    this.#held = false
    this.#hand()
  }

  /** There is no core any more. */
  fail(error: Error): void {
    this.#guest.fail(error)
  }

  async close(): Promise<void> {
    await this.#guest.stop()
    await this.gone
  }

  #makeEnds(): [LinkEnd, LinkEnd] {
    const { link, poll } = this.#parts.settings
    const { pattern } = this.#host.options
    const cores = coresFor(this.#parts.isProcess)
    return createLinkEnds(chooseLink(link, pattern, cores), poll && hasCores(pattern, cores))
  }

  #hand(): void {
    const wiring = this.#wiring
    if (!wiring?.attached || this.#gate?.isReady === false) return
    this.#canBeLinked()
    if (this.#held) return
    this.#wiring = undefined
    this.#linked = wiring.id
    if (this.#isNew && !this.#parts.runs) this.#host.core.post({ type: 'begin', label: this.label })
    this.#isNew = false
    this.#guest.link(wiring.link, wiring.gate)
  }

  #left(): void {
    this.unwire()
    clearTimeout(this.#closing)
    this.#isNew = true
    this.#linked = 0
    if (this.#isKnown) this.#host.core.post({ type: 'end', label: this.label })
    this.#isKnown = false
  }
}

const endedEarly = (): Error =>
  new BusError('Disconnected', 'The frontend has ended before it had a link', { data: { delivered: 'no' } })

/**
 * A gate is no use when it has ended: it is started again, unless its frontend would not be. While it is inside the hook it is
 * the watchdog's.
 */
const gateSupervision = (own: Supervision, hookTimeout: number): Supervision => ({
  ...own,
  restart: own.restart === 'temporary' ? 'temporary' : 'permanent',
  heartbeat: own.heartbeat && Math.max(own.heartbeat, 2 * hookTimeout),
})
