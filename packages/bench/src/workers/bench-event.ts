// How the bench process and a frontend talk about a run: by events of the bus itself, outside of what is measured.
export const BENCH_EVENT = {
  ready: 'bench-ready',
  request: 'bench-request',
  reply: 'bench-reply',
  listening: 'bench-listening',
  /** To a frontend, and what it says before it crashes. */
  crash: 'bench-crash',
  crashing: 'bench-crashing',
} as const

export interface Ready {
  /**
   * When the frontend had its first answer, by the clock that all threads share; see `sharedClock`. One without a clock does
   * not say, and it counts when it is heard.
   */
  at: number
}

/** Microseconds since some moment, the same in every thread: `performance.now` begins anew in each. */
export const sharedClock = (): number => Number(process.hrtime.bigint()) / 1e3
