// What is counted of the traffic over one link, in memory that core writes and the host reads whenever it wants, core's end or
// an endless loop in it notwithstanding. How long calls take is measured of some of them: looking at the clock twice costs a
// tenth of what a small call does.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { LONGEST, SamplingTimer } from '@sallyport/protocol'

export const COUNT = {
  /** Of commands; events that a frontend emits are among them here. */
  calls: 0,
  failures: 1,
  denied: 2,
  late: 3,
  eventsIn: 4,
  eventsOut: 5,
  dropped: 6,
  bytesIn: 7,
  bytesOut: 8,
  /** As it was after the last frame, or when core was last asked: like the next, which is looked up only then. */
  inFlight: 9,
  queued: 10,
} as const

export const COUNTS: number = Object.keys(COUNT).length

/** What host and core share. */
export interface MetricsMemory {
  counts: ArrayBufferLike
  /** Of times in nanoseconds. It may serve several links, one after the other. */
  latency: RecordableHistogram
}

/** It takes about 30 KB; what it says is exact to a hundredth. */
export const createLatency = (): RecordableHistogram => createHistogram({ lowest: 64, highest: LONGEST, figures: 2 })

export const createCounts = (): SharedArrayBuffer => new SharedArrayBuffer(COUNTS * Float64Array.BYTES_PER_ELEMENT)

/** Core's end. */
export class SessionMetrics extends SamplingTimer {
  readonly counts: Float64Array

  constructor({ counts, latency }: MetricsMemory = { counts: createCounts(), latency: createLatency() }) {
    super(latency)
    this.counts = new Float64Array(counts)
  }
}
