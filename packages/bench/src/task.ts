// What a measuring thread can be asked to do. Tasks are plain data: they cross threads, and a scenario is a list of them.

/**
 * - `calls`: calls and their answers, `inFlight` at a time · `sparse`: one call each 4 ms
 * - `open`: a call each so often, whether the one before is answered or not, at half of the arm's own capacity
 * - `overload`: the same at twice the capacity · `cancel`: calls that are given up
 * - `slow-consumer`: a channel whose receiver takes its time
 * - `recover-core`, `recover-frontend`: from a crash to the first answer after it
 * - `giving`: bytes there and back, given away by both sides
 * - `events-in`: events from core to the measuring thread · `events-out`: the other way
 * - `listeners`: events to `size` listeners in turn · `fan-out`: each event to `size` frontends
 * - `stream`: channels that core fills, one after the other
 * - `start`: from nothing to the first reply · `idle`: nothing at all, after a start · `memory`: what frontends take
 * - `http`: requests to the host's own server, beside its calls
 * - `samples`: nothing new: each single latency of the measurement before, in µs, by its number
 * - `codec`: a batch of `inFlight` messages written and read again, without any thread
 */
export type Loop =
  | 'calls'
  | 'sparse'
  | 'open'
  | 'overload'
  | 'cancel'
  | 'slow-consumer'
  | 'recover-core'
  | 'recover-frontend'
  | 'giving'
  | 'events-in'
  | 'events-out'
  | 'listeners'
  | 'fan-out'
  | 'stream'
  | 'start'
  | 'idle'
  | 'memory'
  | 'http'
  | 'codec'
  | 'samples'

export interface Task {
  loop: Loop
  /** For how long to measure, in milliseconds. A slow operation is always measured at least once. */
  ms: number
  /** For how long to do the same before that, in milliseconds: until threads have left their sleep, and polls have begun. */
  settleMs?: number
  inFlight?: number
  /** Listeners, or frontends. */
  size?: number
  /** How a host calls that serves HTTP as well. */
  pace?: Pace
}

/** `paced`: some calls, one after the other, each millisecond · `restless`: each call as soon as the last is answered. */
export type Pace = 'paced' | 'restless'

/** What came out, by the name of the figure: µs for durations, per second for rates, % for parts of a core, bytes for memory. */
export type Measurement = Record<string, number>
