// The life of core, a frontend or a gate in its thread: booting → handshaking → ready → draining → stopped, or failed; and its heartbeat. Every
// thread starts with it, so it loads no library (docs/adr/0008-start-up.md).
import { createDeferred } from '../util/promises.js'
import { every } from '../util/timers.js'

/** In the order in which a worker passes through them. */
export const LIFECYCLE_STATES = ['booting', 'handshaking', 'ready', 'draining', 'stopped', 'failed'] as const

export type LifecycleState = (typeof LIFECYCLE_STATES)[number]

/** The name of a frontend's worker or gate, for the log, error texts and inspectors. */
export const getWorkerName = (kind: 'frontend' | 'gate', label: string): string => `${kind} ${JSON.stringify(label)}`

/** What processes are called in errors whose frontend is not known yet, or has a name of its own. */
export const FRONTEND_PROCESS = 'The frontend process'
export const SCRIPT_PROCESS = 'The process of the script'

/** What a thread does in each state. */
export interface LifeSteps {
  boot(): Promise<void>
  handshake(): Promise<void>
  /**
   * Opens and serves the links until it calls `end`, or `fail` with a fault. Returns a function that closes them. It resolves once all that was sent has
   * left, and rejects if something has not: nobody hears of an end before.
   */
  serve(end: () => void, fail: (error: unknown) => void): () => void | Promise<void>
  /** Begins at the order to stop, if the thread serves by then. `end` and `fail` still end it. */
  drain(): Promise<void>
  /** Called once the step of a state has begun; `error` is the cause of `failed`. */
  onState(state: LifecycleState, error?: unknown): void
}

/** Takes one step after the other. Returns a function that stops the thread: while it boots or shakes hands, at once. */
export function serveLife(life: LifeSteps): () => void {
  const stopped = createDeferred<'stop'>()
  const ended = createDeferred()
  // A fault can come once nobody waits for it any more.
  ended.promise.catch(() => {})
  let close = (): void | Promise<void> => {}

  function enter<T>(state: LifecycleState, begin: () => T): T {
    try {
      return begin()
    } finally {
      life.onState(state)
    }
  }

  async function live(): Promise<void> {
    if ((await Promise.race([stopped.promise, enter('booting', () => life.boot())])) === 'stop') return
    if ((await Promise.race([stopped.promise, enter('handshaking', () => life.handshake())])) === 'stop') return
    close = enter('ready', () => life.serve(ended.resolve, ended.reject))
    if ((await Promise.race([stopped.promise, ended.promise])) !== 'stop') return
    await Promise.race([ended.promise, enter('draining', () => life.drain())])
  }

  const closeLinks = async (): Promise<void> => close()

  void live()
    .then(closeLinks)
    .then(
      () => life.onState('stopped'),
      (error: unknown) => {
        const fail = (): void => life.onState('failed', error)
        return closeLinks().then(fail, fail)
      },
    )
  return () => stopped.resolve('stop')
}

// A worker's heartbeat: a shared counter that a timer of the worker increments, so that the host can see whether the worker's event
// loop is blocked. Zero means that the host must not judge: the worker has not started, or blocks on purpose.

export interface Heartbeat {
  /** Word 0 is the counter. Word 1 has the milliseconds for which a process could not run, as its relay counts them. */
  memory: SharedArrayBuffer
  /** Milliseconds from one beat to the next. */
  every: number
}

/** The monitor polls four times per limit, so it expects two beats from one poll to the next. */
const BEATS_PER_LIMIT = 8
const RESTING = 0

export const createHeartbeat = (limit: number): Heartbeat => ({
  memory: new SharedArrayBuffer(8),
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
