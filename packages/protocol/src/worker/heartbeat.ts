// A worker's sign of life: a word of shared memory that a timer of its own changes, so that the host sees whether its event
// loop still turns. Zero stands for a thread that is not to be judged: it has not begun, or sleeps for somebody's answer.

export interface Heartbeat {
  memory: SharedArrayBuffer
  /** Milliseconds from one beat to the next. */
  every: number
}

/** What wants to hear of it looks four times within the limit. */
const BEATS_PER_LIMIT = 8
const RESTING = 0

export const createHeartbeat = (limit: number): Heartbeat => ({
  memory: new SharedArrayBuffer(4),
  every: limit / BEATS_PER_LIMIT,
})

/** Gives what makes one beat, for who answers for another. Before the first nobody judges. */
export function createHeartbeatFor({ memory }: Heartbeat): () => void {
  const word = new Int32Array(memory)
  let count = 0
  return () => void Atomics.store(word, 0, (count = (count + 1) | 0 || 1))
}

/** Begins to beat, and keeps no thread alive by it. Gives back what runs `sleep`, which blocks the thread for a good reason. */
export function beat(heartbeat: Heartbeat | undefined): <T>(sleep: () => T) => T {
  if (!heartbeat) return sleep => sleep()
  const word = new Int32Array(heartbeat.memory)
  const next = createHeartbeatFor(heartbeat)
  next()
  setInterval(next, heartbeat.every).unref()
  return sleep => {
    Atomics.store(word, 0, RESTING)
    try {
      return sleep()
    } finally {
      next()
    }
  }
}
