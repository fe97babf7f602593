// One frontend, and what joins it to core: a link, and in the isolation pattern its gate. Its worker, its gate and core may each
// be started again: whichever comes back, all of them get new links and keys by the same operation, `wire`.
import { availableParallelism } from 'node:os'
import { MessageChannel } from 'node:worker_threads'
import { BusError, createLinkEndpoints, type LinkEndpoint, type LinkKind } from '@sallyport/protocol'
import type { Pattern } from '../../acl/types.js'
import type { ConnectionSettings } from '../options/types.js'
import { type JoinedStats, SessionTraffic, type TrafficStats } from '../reporting/stats.js'
import type { SupervisionConfig } from '../supervision/policy.js'
import { type Gate, type GateHost, gateSupervision, startGate } from './gate.js'
import type { CoreEndpoint, FrontendRuntime, RuntimeEvents } from './types.js'

// What `link: 'auto'` stands for on this machine, and whether a ring may be polled here.

/** The threads that a call passes, each of which polls its ring while that pays. */
const THREADS: Record<Pattern, number> = { brownfield: 2, isolation: 3 }

/** On fewer cores a thread that polls takes the core of the one that it waits for (docs/adr/0009-isolation.md). */
export const hasCores = (pattern: Pattern, cores: number = availableParallelism()): boolean => cores >= THREADS[pattern]

/** Those that a frontend's threads can share: one in a process has a relay besides. */
const coresFor = (isProcess: boolean): number => availableParallelism() - (isProcess ? 1 : 0)

/** A ring where each thread can have a core; where they must share one, threads that poll are in each other's way. */
export function chooseLink(
  link: 'auto' | LinkKind,
  pattern: Pattern,
  cores: number = availableParallelism(),
): LinkKind {
  if (link !== 'auto') return link
  return hasCores(pattern, cores) ? 'ring' : 'port'
}

export interface FrontendHost extends GateHost {
  readonly core: CoreEndpoint
}

export interface FrontendDeps {
  label: string
  /** Its own, by which core's side knows it: its label, where it is the only one of that label. */
  name: string
  settings: ConnectionSettings
  supervision: SupervisionConfig
  /** Its code runs already, and waits only for a link. */
  runs: boolean
  isProcess: boolean
  makeGuest(told: RuntimeEvents): FrontendRuntime
  /** It is gone for good: its label is free. */
  left(): void
}

/** Links that were made, and whose ends wait here until core and the gate are ready for them. */
interface PendingLinks {
  readonly id: number
  readonly link: LinkEndpoint
  readonly gate: LinkEndpoint | undefined
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
  readonly #parts: FrontendDeps
  readonly #gate: Gate | undefined
  readonly #guest: FrontendRuntime
  readonly #traffic = new SessionTraffic()
  #canBeLinked!: () => void
  #cannotBeLinked!: (error: Error) => void
  #wiring: PendingLinks | undefined
  /** Of the link that it has. */
  #linked = 0
  #held = true
  #rejected = 0
  #closing: NodeJS.Timeout | undefined
  readonly #awaiting: (() => void)[] = []
  /** Core knows of it. */
  #isKnown = false
  /** The others have not been told of it. */
  #isNew = true

  constructor(host: FrontendHost, parts: FrontendDeps) {
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
    const { name: label, settings, runs } = this.#parts
    const [there, link] = this.#makeEnds()
    const [inside, gate] = this.#gate ? this.#makeEnds() : []
    const key = this.#gate && new MessageChannel()
    if (inside && key) this.#gate!.link(inside, key.port2)
    const id = ++links
    this.#wiring = { id, link, gate, attached: false }
    const keyPort = key && { keyPort: key.port1 }
    this.#isKnown = true
    // A core that is far has counts of its own.
    const meter = !core.isFar && { meter: this.#traffic.attach() }
    const runsNow = runs && this.#isNew
    core.attach({ label, codec: settings.codec, end: there, id, runs: runsNow, cipher, ...meter, ...keyPort })
  }

  /** What was not handed out is for nobody. */
  unwire(): void {
    this.#wiring?.link.port.close()
    this.#wiring?.gate?.port.close()
    this.#wiring = undefined
    this.#awaiting.splice(0).forEach(resolve => resolve())
  }

  /** Core has the link of this number. */
  attached(id: number): void {
    if (this.#wiring?.id !== id) return
    this.#wiring.attached = true
    this.#hand()
  }

  /** Core has not taken the link of this number, and takes no other. */
  refused(id: number, error: Error): void {
    if (this.#wiring?.id !== id) return
    // Whoever has opened it hears of it.
    if (this.#linked) this.#host.reporter.reportExit('frontend', this.label, { error, exitError: error })
    this.#cannotBeLinked(error)
    this.#guest.fail(error)
  }

  /** The link of this number has ended on its way to core: another takes its place. */
  lost(id: number): void {
    if (id !== (this.#wiring?.id ?? this.#linked)) return
    // What runs in a process would be ended with its pipes, as failed, long before another link may come.
    if (this.#parts.isProcess && !this.#wiring) void this.#guest.reload?.().catch(() => {})
    else this.wire()
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
      this.#host.reporter.reportFault(this.label, error)
      this.#guest.end(error)
    }, LATE_MS).unref()
  }

  /** Of its worker, and of its gate. */
  get stats(): JoinedStats {
    return { ...this.#guest.stats, ...(this.#gate && { gate: this.#gate.stats }), rejected: this.#rejected }
  }

  takeTraffic(marks: boolean): TrafficStats {
    return this.#traffic.snapshot(this.#host.core.isUp && this.#isKnown, marks)
  }

  /** Its code may begin. */
  start(): void {
    this.#held = false
    this.#hand()
  }

  /** Loads its hook anew, and where it is asked to its module. False where it has nothing of that. */
  async reload(module: boolean): Promise<boolean> {
    const all = [module ? this.#guest.reload?.() : undefined, this.#gate?.reload()].filter(one => one !== undefined)
    await Promise.all(all)
    return all.length > 0
  }

  /** Resolves once no links wait for it: they are its own, or what they join is gone again. */
  async linked(): Promise<void> {
    while (this.#wiring) await new Promise<void>(resolve => this.#awaiting.push(resolve))
  }

  /** There is no core any more. */
  fail(error: Error): void {
    this.#guest.fail(error)
  }

  async close(): Promise<void> {
    await this.#guest.stop()
    await this.gone
  }

  #makeEnds(): [LinkEndpoint, LinkEndpoint] {
    const { link, poll } = this.#parts.settings
    const { pattern } = this.#host.options
    const { isProcess, runs } = this.#parts
    // Where both ends are in this thread, neither polls for the other.
    const cores = runs && this.#host.core.isHere ? 1 : coresFor(isProcess)
    return createLinkEndpoints(chooseLink(link, pattern, cores), poll && hasCores(pattern, cores))
  }

  #hand(): void {
    const wiring = this.#wiring
    if (!wiring?.attached || this.#gate?.isReady === false) return
    this.#canBeLinked()
    if (this.#held) return
    this.#wiring = undefined
    this.#linked = wiring.id
    if (this.#isNew && !this.#parts.runs) this.#host.core.post({ type: 'begin', label: this.#parts.name })
    this.#isNew = false
    this.#guest.link(wiring.link, wiring.gate)
    this.#awaiting.splice(0).forEach(resolve => resolve())
  }

  #left(): void {
    this.unwire()
    clearTimeout(this.#closing)
    this.#isNew = true
    this.#linked = 0
    if (this.#isKnown) this.#host.core.post({ type: 'end', label: this.#parts.name })
    this.#isKnown = false
  }
}

const endedEarly = (): Error =>
  new BusError('Disconnected', 'The frontend has ended before it had a link', { data: { delivered: 'no' } })
