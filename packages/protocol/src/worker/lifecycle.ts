// The life of a worker as an xstate actor: core, frontend and isolation are each one of these, with their own `boot`,
// `handshake`, `serve` and `drain`. An entry of its own (`@sallyport/protocol/actor`), because the rest needs no xstate.
import { createActor, fromCallback, fromPromise, setup } from 'xstate'

/** What happens in a worker, as events of its machine. Messages of the data plane are never among them. */
export type LifecycleEvent = { type: 'stop' } | { type: 'link.closed' } | { type: 'fault'; error: unknown }

export type LifecycleState = 'booting' | 'handshaking' | 'ready' | 'draining' | 'stopped' | 'failed'

export interface WorkerLifecycle {
  /** Loads what this worker runs. */
  boot(): Promise<void>
  /** Waits until the other side is there. */
  handshake(): Promise<void>
  /** Opens the links and serves them in its own closure; gives back what closes them. Only faults go up as events. */
  serve(send: (event: LifecycleEvent) => void): () => void
  /** Lets what is in flight come to its end. */
  drain(): Promise<void>
  /** Told of each state, once it is entered; `error` says why it is `failed`. */
  onState(state: LifecycleState, error?: unknown): void
}

export interface WorkerActor {
  stop(): void
}

const failed = { target: '#worker.failed', actions: 'keepError' } as const

/** For the page that draws it: of a life that does nothing. A machine of xstate's, whose types users have not got. */
export const createWorkerMachine = (): object =>
  workerMachine(
    {
      boot: async () => {},
      handshake: async () => {},
      serve: () => () => {},
      drain: async () => {},
      onState: () => {},
    },
    () => {},
  )

function workerMachine(life: WorkerLifecycle, keep: (error: unknown) => void) {
  return setup({
    types: {} as { events: LifecycleEvent },
    actors: {
      boot: fromPromise(() => life.boot()),
      handshake: fromPromise(() => life.handshake()),
      serve: fromCallback<LifecycleEvent>(({ sendBack }) => life.serve(sendBack)),
      drain: fromPromise(() => life.drain()),
    },
    actions: {
      keepError: ({ event }) => keep((event as { error?: unknown }).error),
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
export function startWorkerActor(life: WorkerLifecycle): WorkerActor {
  let reason: unknown
  const machine = workerMachine(life, error => (reason = error))

  let last: LifecycleState | undefined
  const actor = createActor(machine)
  actor.subscribe(({ value }) => {
    const state: LifecycleState = typeof value === 'object' ? value.serving : (value as Exclude<typeof value, object>)
    if (state === last) return
    last = state
    life.onState(state, reason)
  })
  actor.start()
  return { stop: () => actor.getSnapshot().status === 'active' && actor.send({ type: 'stop' }) }
}
