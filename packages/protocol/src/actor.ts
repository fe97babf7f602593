// The entry `@sallyport/protocol/internal/actor`: the lifecycle of a worker as an xstate actor. No other entry loads xstate.
import { createActor, fromCallback, fromPromise, setup } from 'xstate'
import type { LifecycleState } from './contract/host-worker.js'

/** Events of a worker's state machine. Messages of calls and events never pass through it. */
export type LifecycleEvent = { type: 'stop' } | { type: 'link.closed' } | { type: 'fault'; error: unknown }

export interface WorkerLifecycle {
  boot(): Promise<void>
  handshake(): Promise<void>
  /** Opens and serves the links, and returns a function that closes them. Only faults are sent as events. */
  serve(send: (event: LifecycleEvent) => void): () => void
  drain(): Promise<void>
  /** Called for each state that is entered; `error` is the cause of `failed`. */
  onState(state: LifecycleState, error?: unknown): void
}

const failed = { target: '#worker.failed', actions: 'keepError' } as const

/** Returns the state machine without behavior, for the page that draws it. Its xstate type is hidden: users may not have xstate. */
export const createWorkerMachine = (): object => createMachine({} as WorkerLifecycle, () => {})

function createMachine(lifecycle: WorkerLifecycle, onError: (error: unknown) => void) {
  return setup({
    types: {} as { events: LifecycleEvent },
    actors: {
      boot: fromPromise(() => lifecycle.boot()),
      handshake: fromPromise(() => lifecycle.handshake()),
      serve: fromCallback<LifecycleEvent>(({ sendBack }) => lifecycle.serve(sendBack)),
      drain: fromPromise(() => lifecycle.drain()),
    },
    actions: {
      keepError: ({ event }) => onError((event as { error?: unknown }).error),
    },
  }).createMachine({
    id: 'worker',
    initial: 'booting',
    states: {
      booting: { on: { stop: 'stopped' }, invoke: { src: 'boot', onDone: 'handshaking', onError: failed } },
      handshaking: { on: { stop: 'stopped' }, invoke: { src: 'handshake', onDone: 'serving', onError: failed } },
      serving: {
        invoke: { src: 'serve', onError: failed },
        on: { 'link.closed': 'stopped', fault: failed },
        initial: 'ready',
        states: {
          ready: { on: { stop: 'draining' } },
          draining: { invoke: { src: 'drain', onDone: '#worker.stopped', onError: failed } },
        },
      },
      stopped: { type: 'final' },
      failed: { type: 'final' },
    },
  })
}

/** `booting → handshaking → serving (ready → draining) → stopped | failed` */
export function startWorkerActor(lifecycle: WorkerLifecycle): { stop(): void } {
  let failure: unknown
  const machine = createMachine(lifecycle, error => (failure = error))

  let lastState: LifecycleState | undefined
  const actor = createActor(machine)
  actor.subscribe(({ value }) => {
    const state: LifecycleState = typeof value === 'object' ? value.serving : (value as Exclude<typeof value, object>)
    if (state === lastState) return
    lastState = state
    lifecycle.onState(state, failure)
  })
  actor.start()
  return { stop: () => actor.getSnapshot().status === 'active' && actor.send({ type: 'stop' }) }
}
