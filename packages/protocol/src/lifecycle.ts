// The life of a worker actor, as plain data: core, frontend and isolation each hand it to xstate with their own `boot`,
// `handshake` and `serve`. It stands here, without xstate, because all three share the protocol and nothing else.

/** What happens in a worker, as events of its machine. Messages of the data plane are never among them. */
export type LifecycleEvent = { type: 'stop' } | { type: 'link.closed' } | { type: 'fault'; error: unknown }

/**
 * `booting → handshaking → serving (ready → draining) → stopped | failed`
 *
 * - `boot` (a promise) loads what the worker runs;
 * - `handshake` (a promise) waits until the other side is there;
 * - `serve` (a callback actor) owns the links while `serving`, and serves whole batches in its closure;
 * - `drain` (a promise) lets what is in flight come to its end.
 */
export const lifecycle = {
  id: 'worker',
  initial: 'booting',
  states: {
    booting: {
      on: { stop: 'stopped' },
      invoke: { src: 'boot', onDone: 'handshaking', onError: { target: 'failed', actions: 'reportFailure' } },
    },
    handshaking: {
      on: { stop: 'stopped' },
      invoke: { src: 'handshake', onDone: 'serving', onError: { target: 'failed', actions: 'reportFailure' } },
    },
    serving: {
      invoke: { src: 'serve' },
      on: { 'link.closed': 'stopped', 'fault': { target: 'failed', actions: 'reportFailure' } },
      initial: 'ready',
      states: {
        ready: { entry: 'reportReady', on: { stop: 'draining' } },
        draining: { invoke: { src: 'drain', onDone: '#worker.stopped', onError: '#worker.stopped' } },
      },
    },
    stopped: { type: 'final' },
    failed: { type: 'final' },
  },
} as const
