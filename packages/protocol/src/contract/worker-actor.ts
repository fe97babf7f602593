// The lifecycle of core, a frontend or a gate: an actor in its worker, as a table and a queue of events. Every worker starts with it, so
// it loads no library (docs/adr/0008-start-up.md).
import type { LifecycleState } from './host-worker.js'

/** Events of a worker's state machine. Messages of calls and events never pass through it. */
export type LifecycleEvent = { type: 'stop' } | { type: 'link.closed' } | { type: 'fault'; error: unknown }

/** The end of the current state's step. */
type StepEvent = { type: 'done' } | { type: 'error'; error: unknown }

export interface WorkerLifecycle {
  boot(): Promise<void>
  handshake(): Promise<void>
  /** Opens and serves the links, and returns a function that closes them. Only faults are sent as events. */
  serve(send: (event: LifecycleEvent) => void): () => void
  drain(): Promise<void>
  /** Called for each state that is entered; `error` is the cause of `failed`. */
  onState(state: LifecycleState, error?: unknown): void
}

type Transitions = Readonly<Partial<Record<(LifecycleEvent | StepEvent)['type'], LifecycleState>>>

/** The state that follows each event. Other events change nothing. */
export const LIFECYCLE_TRANSITIONS: Readonly<Record<LifecycleState, Transitions>> = {
  booting: { stop: 'stopped', done: 'handshaking', error: 'failed' },
  handshaking: { stop: 'stopped', done: 'ready', error: 'failed' },
  ready: { stop: 'draining', 'link.closed': 'stopped', fault: 'failed', error: 'failed' },
  draining: { done: 'stopped', error: 'failed', 'link.closed': 'stopped', fault: 'failed' },
  stopped: {},
  failed: {},
}

/** Boots, shakes hands, and serves until it is stopped, or something ends it. */
export function startWorkerActor(lifecycle: WorkerLifecycle): { stop(): void } {
  const queue: (LifecycleEvent | StepEvent)[] = []
  let state: LifecycleState
  let isEntering = false
  let close: (() => void) | undefined

  /** Events that are sent while a state is entered follow once it is. */
  function send(event: LifecycleEvent | StepEvent): void {
    queue.push(event)
    if (!isEntering) handleQueue()
  }

  function handleQueue(): void {
    for (let event = queue.shift(); event; event = queue.shift()) {
      const next = LIFECYCLE_TRANSITIONS[state][event.type]
      if (next) enter(next, 'error' in event ? event.error : undefined)
    }
  }

  function enter(next: LifecycleState, error?: unknown): void {
    state = next
    isEntering = true
    try {
      if (next === 'booting') run(() => lifecycle.boot())
      else if (next === 'handshaking') run(() => lifecycle.handshake())
      else if (next === 'ready') serve()
      else if (next === 'draining') run(() => lifecycle.drain())
      else close?.()
      lifecycle.onState(next, error)
    } finally {
      isEntering = false
    }
  }

  /** Runs the step of the current state. Its end is ignored in a later state. */
  function run(step: () => Promise<void>): void {
    const current = state
    const end = (event: StepEvent): void => {
      if (state === current) send(event)
    }
    new Promise<void>(resolve => resolve(step())).then(
      () => end({ type: 'done' }),
      (error: unknown) => end({ type: 'error', error }),
    )
  }

  function serve(): void {
    try {
      close = lifecycle.serve(send)
    } catch (error) {
      send({ type: 'error', error })
    }
  }

  enter('booting')
  handleQueue()
  return { stop: () => send({ type: 'stop' }) }
}
