// Finds threads that do not answer: core by its measurements, frontends by their heartbeats. In a thread that several share, the one whose code runs
// blocks all: the host says who that is.
import type { Heartbeat } from '@sallyport/protocol/internal/contract'
import { type CallRecord, readCurrentCall } from '../contract/call-report.js'
import type { Blocked, BlockedThread, Measurement } from '../contract/views.js'
import { formatSeconds, listSome } from './texts.js'
import type { Block } from './recent.js'

/** Shorter blocks are not reported: core also leaves a question unanswered when it ends, or when the machine is busy. */
const MIN_MS = 1000
/** How much longer than its interval a heartbeat can take. */
const LATE_FACTOR = 1.25
const LATE_MS = 250
/** A shared thread of which nobody knows what it does can be without time on a busy machine. */
const LONG_MS = 10_000
const RESTING = 0

type Running = Pick<CallRecord, 'label' | 'command'>

export interface CoreSample {
  measurement: Measurement | undefined
  askedAt: number
  /** True if core is expected to answer. */
  isRunning: boolean
  restarts: number
  /** Milliseconds for which core blocked the host, because it is in the host's thread. */
  blockedHostMs: number
}

interface CoreBlock {
  startedAt: number
  /** The call whose handler blocks core, if it is known. */
  call: Running | undefined
}

export interface WatchedThread {
  heartbeat: Heartbeat
  /** The frontend whose code the thread runs now, if another one shares it; `null` if that is not known. */
  runs?: string | null | undefined
  /** The host has ended its code, and says why once that is over. */
  isEnding: boolean
}

type Beats = Pick<WatchedThread, 'heartbeat' | 'runs'> & {
  count: Int32Array
  last: number
  at: number
  blocked: BlockedThread | undefined
}

interface Computation {
  startedAt: number
  waiting: Set<string>
}

export class BlockedThreads {
  readonly #onEnd: (block: Block) => void
  #memory: SharedArrayBuffer | undefined
  /** When the watch of the core that last answered began. Each core has another one. */
  #since: number | undefined
  #core: CoreBlock | undefined
  #restarts = 0
  readonly #beats = new Map<string, Beats>()
  /** Code for which others wait, by its frontend. */
  #computations = new Map<string, Computation>()

  /** @param onEnd - called when a thread answers again, or has ended */
  constructor(onEnd: (block: Block) => void) {
    this.#onEnd = onEnd
  }

  /** Returns for how long core has been blocked, and by which call, if it is known. */
  addCore({ measurement, askedAt, isRunning, restarts, blockedHostMs }: CoreSample): Blocked | undefined {
    const now = performance.now()
    // It can have ended and be running again from one measurement to the next, and leave the question to its predecessor unanswered.
    if (!measurement && restarts !== this.#restarts) {
      this.#endCore(now, undefined)
      this.#memory = this.#since = undefined
    }
    this.#restarts = restarts
    if (!measurement && isRunning) {
      this.#core ??= { startedAt: askedAt, call: undefined }
      this.#core.call ??= this.#memory && readCurrentCall(this.#memory)
      return { ms: now - this.#core.startedAt, ...this.#core.call }
    }
    if (blockedHostMs > MIN_MS) this.#core = { startedAt: now - blockedHostMs, call: undefined }
    // A core that blocks before its first answer has none to compare with.
    const isSame = this.#since === undefined || measurement?.watched?.since === this.#since
    this.#endCore(now, isSame ? measurement : undefined)
    if (measurement) {
      this.#memory = measurement.watched?.current
      this.#since = measurement.watched?.since
    }
    return undefined
  }

  /**
   * Returns the blocked frontends by their labels.
   *
   * @param threads - those of frontends that run, or are being ended, by label
   * @param hasError - true if the thread of a label has ended by an error, which says why it did not respond
   */
  addFrontends(
    threads: ReadonlyMap<string, WatchedThread>,
    hasError: (label: string) => boolean,
  ): ReadonlyMap<string, BlockedThread> {
    const now = performance.now()
    const blocked = new Map<string, BlockedThread>()
    for (const [label, beats] of this.#beats) {
      if (threads.get(label)?.heartbeat === beats.heartbeat) continue
      this.#beats.delete(label)
      if (!hasError(label)) this.#endFrontend(label, beats.blocked, ' until it ended')
    }
    for (const [label, { heartbeat, runs, isEnding }] of threads) {
      const beats = this.#beats.get(label)
      const count = beats?.count ?? new Int32Array(heartbeat.memory)
      const value = count[0]!
      // It cannot start either while its thread runs code of another.
      const isResting = value === RESTING && (typeof runs !== 'string' || runs !== beats?.runs)
      if (!beats || value !== beats.last || isResting) {
        if (beats?.blocked) this.#endFrontend(label, { ...beats.blocked, ms: now - beats.at }, '')
        this.#beats.set(label, { heartbeat, runs, count, last: value, at: now, blocked: undefined })
        continue
      }
      const ms = now - beats.at
      // Nothing else makes a heartbeat late if it is known whose code runs, and that runs on while this one is ended.
      const isKnown = typeof runs === 'string'
      if ((isEnding && !isKnown) || ms < heartbeat.every * (isKnown ? 1 : LATE_FACTOR) + LATE_MS) continue
      beats.blocked = { ms, ...(runs !== undefined && { waitsFor: runs }) }
      blocked.set(label, beats.blocked)
    }
    this.#updateComputations(blocked, now)
    return blocked
  }

  /** The block of a frontend for which others wait is one event, as is their wait. */
  #endFrontend(label: string, { ms, waitsFor }: Partial<BlockedThread> = {}, until: string): void {
    if (ms === undefined || typeof waitsFor === 'string' || this.#computations.has(label)) return
    if (waitsFor === null && ms < LONG_MS) return
    const what = waitsFor === null ? 'waited for its script host' : 'did not respond'
    this.#onEnd({
      label,
      what: '',
      why: `${what} for ${formatSeconds(ms)}${until}`,
      since: Date.now() - ms,
      at: Date.now(),
    })
  }

  #updateComputations(blocked: ReadonlyMap<string, BlockedThread>, now: number): void {
    const last = this.#computations
    const next = (this.#computations = new Map<string, Computation>())
    for (const [label, { ms, waitsFor }] of blocked) {
      if (typeof waitsFor !== 'string') continue
      const { startedAt, waiting } = next.get(waitsFor) ??
        last.get(waitsFor) ?? { startedAt: now - ms, waiting: new Set() }
      next.set(waitsFor, { startedAt, waiting: waiting.add(label) })
    }
    for (const [label, { startedAt, waiting }] of last) {
      if (next.has(label)) continue
      const ms = now - startedAt
      const why = `computed for ${formatSeconds(ms)} while ${listSome([...waiting])} waited (same script host)`
      this.#onEnd({ label, what: '', why, since: Date.now() - ms, at: Date.now() })
    }
  }

  /** Ends the block of core, if there is one. @param measurement - the answer that ends it; left out if core has ended */
  #endCore(now: number, measurement: Measurement | undefined): void {
    const { startedAt = now, call } = this.#core ?? {}
    this.#core = undefined
    const ms = now - startedAt
    if (ms <= MIN_MS) return
    const since = Date.now() - ms
    const timed = (measurement?.watched?.calls ?? []).flatMap(({ ms: ran, ...each }) =>
      ran === undefined ? [] : { ...each, ms: ran },
    )
    const longest = timed.toSorted((a, b) => b.ms - a.ms)
    const isCall = (each: Running): boolean => each.label === call?.label && each.command === call.command
    // On a busy machine the answer comes long after the call, which is charged with its own time alone.
    const own = longest.find(each => (call ? isCall(each) : each.ms > ms / 2 && each.at < since + ms / 2))
    const ownMs = own?.ms ?? ms
    const culprit = ownMs > MIN_MS ? (call ?? own) : undefined
    const { label, command } = culprit ?? { label: 'core', command: '' }
    const until = measurement ? '' : ' until it ended'
    const why = `core did not answer for ${formatSeconds(culprit ? ownMs : ms)}${until}`
    this.#onEnd({ label, what: command, why, since, at: Date.now() })
  }
}
