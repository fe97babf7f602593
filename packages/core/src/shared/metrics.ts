// Counters and latencies of one link, in memory shared by core and host: the host can still read them when core hangs or has exited.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { MAX_DURATION_NS, SamplingTimer } from '@sallyport/protocol/internal'

export const COUNT = {
  /** Calls of commands, and events that the frontend emits. */
  calls: 0,
  failures: 1,
  denied: 2,
  late: 3,
  eventsIn: 4,
  eventsOut: 5,
  dropped: 6,
  bytesIn: 7,
  bytesOut: 8,
  /** Updated after each frame, and when core is asked. */
  inFlight: 9,
  /** Updated when core is asked. */
  queued: 10,
} as const

export const COUNTS: number = Object.keys(COUNT).length

export interface MetricsMemory {
  counts: ArrayBufferLike
  /** Durations of calls over previous links, in nanoseconds. Without it, core creates one with the first timed call, and reports it. */
  latency?: RecordableHistogram | undefined
}

/** Creates a histogram of about 30 KB with a precision of 1 %. */
export const createLatency = (): RecordableHistogram =>
  createHistogram({ lowest: 64, highest: MAX_DURATION_NS, figures: 2 })

export const createCounts = (): SharedArrayBuffer => new SharedArrayBuffer(COUNTS * Float64Array.BYTES_PER_ELEMENT)

/** Calls of one command by all frontends and the host, since core began to count them. */
export interface CommandStats {
  command: string
  calls: number
  /** Number of failed calls by reason. */
  failures: Record<string, number>
  /** Microseconds: 99 % of the timed calls took no longer, with a precision of 10 %. 0 if none was timed. */
  p99: number
  /** Calls that run now. */
  inFlight: number
  /** The frontend of the oldest one, or `host`, and for how many milliseconds it has been seen running. */
  oldest?: { label: string; ms: number }
}

/** Commands in one result. Others are counted together. */
const MAX_COMMANDS = 200
const OTHERS = '(others)'

/** Counts calls by command while an inspector asks for them. */
export class CommandCounts {
  readonly #rows = new Map<string, Pick<CommandStats, 'calls' | 'failures'> & { latency?: RecordableHistogram }>()
  #firstSeen = new Map<object, number>()

  /** @param command - a registered one: names that callers choose are not bounded */
  addCall(command: string): void {
    this.#get(command).calls += 1
  }

  addFailure(command: string, reason: string): void {
    const { failures } = this.#get(this.#rows.has(command) ? command : OTHERS)
    failures[reason] = (failures[reason] ?? 0) + 1
  }

  addDuration(command: string, nanoseconds: number): void {
    const row = this.#get(command)
    row.latency ??= createHistogram({ lowest: 64, highest: MAX_DURATION_NS, figures: 1 })
    row.latency.record(nanoseconds)
  }

  get(running: Iterable<{ call: object; command: string; label: string }>): CommandStats[] {
    const stats = new Map<string, CommandStats>()
    for (const [command, { calls, failures, latency }] of this.#rows) {
      stats.set(command, { command, calls, failures, p99: latency ? latency.percentile(99) / 1000 : 0, inFlight: 0 })
    }
    const [now, firstSeen] = [performance.now(), new Map<object, number>()]
    for (const { call, command, label } of running) {
      const since = this.#firstSeen.get(call) ?? now
      firstSeen.set(call, since)
      let row = stats.get(command)
      if (!row) stats.set(command, (row = { command, calls: 0, failures: {}, p99: 0, inFlight: 0 }))
      row.inFlight += 1
      const ms = Math.round(now - since)
      if (!row.oldest || ms > row.oldest.ms) row.oldest = { label, ms }
    }
    this.#firstSeen = firstSeen
    return [...stats.values()].toSorted((a, b) => b.inFlight - a.inFlight || b.calls - a.calls).slice(0, MAX_COMMANDS)
  }

  #get(command: string) {
    const name = this.#rows.has(command) || this.#rows.size < MAX_COMMANDS ? command : OTHERS
    let row = this.#rows.get(name)
    if (!row) this.#rows.set(name, (row = { calls: 0, failures: {} }))
    return row
  }
}

/** Core's side. Only a sample of the calls is timed: two readings of the clock take a tenth of the time of a small call. */
export class SessionMetrics extends SamplingTimer {
  readonly counts: Float64Array
  /** Counts calls by command, if an inspector is open. */
  commands: CommandCounts | undefined

  constructor(counts: ArrayBufferLike, getLatency?: () => RecordableHistogram) {
    super(getLatency)
    this.counts = new Float64Array(counts)
  }
}
