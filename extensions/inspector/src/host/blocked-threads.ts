// Finds threads that do not answer: core by its measurements, frontends by their heartbeats.
import type { Heartbeat } from '@sallyport/protocol/internal/contract'
import { type CallRecord, readCurrentCall } from '../contract/call-report.js'
import type { Blocked, Measurement } from '../contract/views.js'
import { formatSeconds } from './texts.js'
import type { Block } from './recent.js'

/** Shorter blocks are not reported: core also leaves a question unanswered when it ends, or when the machine is busy. */
const MIN_MS = 1000
/** How much longer than its interval a heartbeat can take. */
const LATE_FACTOR = 1.25
const LATE_MS = 250
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

type Beats = { heartbeat: Heartbeat; count: Int32Array; last: number; at: number; blockedMs: number }

export class BlockedThreads {
  readonly #onEnd: (block: Block) => void
  #memory: SharedArrayBuffer | undefined
  /** When the watch of the core that last answered began. Each core has another one. */
  #since: number | undefined
  #core: CoreBlock | undefined
  #restarts = 0
  readonly #beats = new Map<string, Beats>()

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
   * Returns the labels of blocked frontends, with milliseconds.
   *
   * @param heartbeats - those of running frontends, by label
   * @param hasError - true if the thread of a label has ended by an error, which says why it did not respond
   */
  addFrontends(
    heartbeats: ReadonlyMap<string, Heartbeat>,
    hasError: (label: string) => boolean,
  ): ReadonlyMap<string, number> {
    const now = performance.now()
    const blocked = new Map<string, number>()
    for (const [label, { heartbeat, blockedMs }] of this.#beats) {
      if (heartbeats.get(label) === heartbeat) continue
      this.#beats.delete(label)
      if (blockedMs > 0 && !hasError(label)) this.#endFrontend(label, blockedMs, 'until it ended')
    }
    for (const [label, heartbeat] of heartbeats) {
      const beats = this.#beats.get(label)
      const count = beats?.count ?? new Int32Array(heartbeat.memory)
      const value = count[0]!
      if (!beats || value !== beats.last || value === RESTING) {
        if (beats && beats.blockedMs > 0) this.#endFrontend(label, now - beats.at, '')
        this.#beats.set(label, { heartbeat, count, last: value, at: now, blockedMs: 0 })
        continue
      }
      const ms = now - beats.at
      if (ms < heartbeat.every * LATE_FACTOR + LATE_MS) continue
      beats.blockedMs = ms
      blocked.set(label, ms)
    }
    return blocked
  }

  #endFrontend(label: string, ms: number, until: string): void {
    const why = `the frontend did not respond for ${formatSeconds(ms)} ${until}`.trimEnd()
    this.#onEnd({ label, what: '', why, since: Date.now() - ms, at: Date.now() })
  }

  /** Ends the block of core, if there is one. @param measurement - the answer that ends it; left out if core has ended */
  #endCore(now: number, measurement: Measurement | undefined): void {
    const { startedAt = now, call } = this.#core ?? {}
    this.#core = undefined
    const ms = now - startedAt
    if (ms <= MIN_MS) return
    const since = Date.now() - ms
    const timed = (measurement?.watched?.calls ?? []).filter(each => each.ms !== undefined)
    const longest = timed.toSorted((a, b) => b.ms! - a.ms!)
    const isCall = (each: Running): boolean => each.label === call?.label && each.command === call.command
    // On a busy machine the answer comes long after the call, which is charged with its own time alone.
    const own = longest.find(each => (call ? isCall(each) : each.ms! > ms / 2 && each.at < since + ms / 2))
    const ownMs = own?.ms ?? ms
    const culprit = ownMs > MIN_MS ? (call ?? own) : undefined
    const { label, command } = culprit ?? { label: 'core', command: '' }
    const until = measurement ? '' : ' until it ended'
    const why = `core did not answer for ${formatSeconds(culprit ? ownMs : ms)}${until}`
    this.#onEnd({ label, what: command, why, since, at: Date.now() })
  }
}
