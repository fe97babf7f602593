// The life of core, a frontend or a gate in its thread: booting → handshaking → ready → draining → stopped, or failed. Every thread starts with
// it, so it loads no library (docs/adr/0008-start-up.md).
import { createDeferred } from '../util/promises.js'
import type { LifecycleState } from './host-worker.js'

export interface Life {
  boot(): Promise<void>
  handshake(): Promise<void>
  /** Opens and serves the links until it calls `end`, or `fail` with a fault. Returns a function that closes them. */
  serve(end: () => void, fail: (error: unknown) => void): () => void
  /** Begins at the order to stop, if the thread serves by then. `end` and `fail` still end it. */
  drain(): Promise<void>
  /** Called once the step of a state has begun; `error` is the cause of `failed`. */
  onState(state: LifecycleState, error?: unknown): void
}

/** Takes one step after the other. Returns a function that stops the thread: while it boots or shakes hands, at once. */
export function serveLife(life: Life): () => void {
  const stopped = createDeferred<'stop'>()
  const ended = createDeferred()
  // A fault can come once nobody waits for it any more.
  ended.promise.catch(() => {})
  let close = (): void => {}

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

  function finish(state: 'stopped' | 'failed', error?: unknown): void {
    close()
    life.onState(state, error)
  }

  live().then(
    () => finish('stopped'),
    (error: unknown) => finish('failed', error),
  )
  return () => stopped.resolve('stop')
}
