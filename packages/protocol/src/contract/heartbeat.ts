// A worker's heartbeat: a shared counter that a timer of the worker increments, so that the host can see whether the worker's event
// loop is blocked. Zero means that the host must not judge: the worker has not started, or blocks on purpose.
import { every } from './timers.js'

export interface Heartbeat {
  memory: SharedArrayBuffer
  /** Milliseconds from one beat to the next. */
  every: number
}

/** The monitor polls four times per limit, so it expects two beats from one poll to the next. */
const BEATS_PER_LIMIT = 8
const RESTING = 0

export const createHeartbeat = (limit: number): Heartbeat => ({
  memory: new SharedArrayBuffer(4),
  every: limit / BEATS_PER_LIMIT,
})

/** Returns a function that makes one beat, to report on behalf of another thread. Monitoring starts with the first beat. */
export function createHeartbeatFor({ memory }: Heartbeat): () => void {
  const word = new Int32Array(memory)
  let count = 0
  return () => void Atomics.store(word, 0, (count = (count + 1) | 0 || 1))
}

export interface Beating {
  /** Runs what blocks the thread on purpose. */
  rest<T>(block: () => T): T
  stop(): void
}

/** Starts the heartbeat, which does not keep the thread alive. */
export function beat(heartbeat: Heartbeat | undefined): Beating {
  if (!heartbeat) return { rest: block => block(), stop() {} }
  const word = new Int32Array(heartbeat.memory)
  const next = createHeartbeatFor(heartbeat)
  next()
  const stop = every(heartbeat.every, next)
  return {
    rest(block) {
      Atomics.store(word, 0, RESTING)
      try {
        return block()
      } finally {
        next()
      }
    },
    stop,
  }
}
