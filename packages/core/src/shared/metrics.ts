// Counters and latencies of one link, in memory shared by core and host: the host can still read them when core hangs or has exited.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { MAX_DURATION_NS, SamplingTimer } from '@sallyport/protocol/internal/util'
import type { Outcome } from '@sallyport/protocol/internal/rpc'

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
  overloaded: 11,
  /** Calls that count for the limit of a run. */
  limited: 12,
  /** Calls with a result: of the frontend, but not of the bus's own commands, and to it. */
  succeeded: 13,
  /** Bytes of a frame that is not complete. Updated when core is asked. */
  begun: 14,
} as const

const COUNTS: number = Object.keys(COUNT).length

export interface MetricsMemory {
  counts: ArrayBufferLike
  /** Durations of calls over previous links, in nanoseconds. Without it, core creates one with the first timed call, and reports it. */
  latency?: RecordableHistogram | undefined
}

/** Creates a histogram of about 30 KB with a precision of 1 %. */
export const createLatency = (): RecordableHistogram =>
  createHistogram({ lowest: 64, highest: MAX_DURATION_NS, figures: 2 })

export const createCountsMemory = (): SharedArrayBuffer =>
  new SharedArrayBuffer(COUNTS * Float64Array.BYTES_PER_ELEMENT)

/** Counters of which each of `COUNT` exists. */
export type Counts = Float64Array & Record<(typeof COUNT)[keyof typeof COUNT], number>

export const toCounts = (memory: ArrayBufferLike = new ArrayBuffer(COUNTS * Float64Array.BYTES_PER_ELEMENT)): Counts =>
  new Float64Array(memory) as Counts

export function addCounts(counts: Counts, others: Counts): Counts {
  const sum = toCounts()
  for (const [i, count] of counts.entries()) sum[i] = count + (others[i] ?? 0)
  return sum
}

/** Core's side. Only a sample of the calls is timed: two readings of the clock take a tenth of the time of a small call. */
export class SessionMetrics extends SamplingTimer {
  readonly counts: Counts
  watch: CallerWatch | undefined

  constructor(counts: ArrayBufferLike, getLatency?: () => RecordableHistogram) {
    super(getLatency)
    this.counts = toCounts(counts)
  }
}

export interface WatchedCall {
  /** `abortReason`: why nobody waits for its answer any more. Its handler can go on. */
  call: { readonly abortReason?: Error | undefined }
  command: string
  label: string
  /** True for a stream, or a call with an open channel: it may take long. */
  isLongLived: boolean
}

export interface CallWatch {
  /** Sessions of one label share a watch. */
  getCaller(label: string): CallerWatch
  /** Returns a report for the inspector, since the previous one. */
  report(running: Iterable<WatchedCall>): unknown
}

export interface CallerWatch {
  /**
   * Counts a call, and runs it.
   *
   * @param message - identifies the call for `addAnswer`
   * @param args - of which only the size is recorded
   * @param isKnown - false for a command that is not registered: names that callers choose are not bounded
   */
  run(
    message: object,
    command: string,
    args: unknown,
    isKnown: (command: string) => boolean,
    run: () => Outcome | Promise<Outcome>,
  ): void
  /** Records the size of a call's result. */
  addAnswer(message: object, result: unknown): void
  addFailure(command: string, reason: string): void
  addDuration(command: string, nanoseconds: number): void
}
