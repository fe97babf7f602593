// What a measuring thread can be asked to do. Tasks are plain data: they cross threads, and a scenario is a list of them.

/**
 * - `calls`: calls and their answers, `inFlight` at a time
 * - `events-in`: events from core to the measuring thread · `events-out`: the other way
 * - `stream`: channels that core fills, one after the other
 * - `start`: from nothing to the first reply
 * - `codec`: a batch of `inFlight` messages written and read again, without any thread
 */
export type Loop = 'calls' | 'events-in' | 'events-out' | 'stream' | 'start' | 'codec'

export interface Task {
  loop: Loop
  /** For how long to measure, in milliseconds. A slow operation is always measured at least once. */
  ms: number
  inFlight?: number
}

/** What came out, by the name of the figure: µs for durations, per second for rates. */
export type Measurement = Record<string, number>
