// The host's supervisor, as an actor, with one child actor per worker. Core's failure is the bus's; any other worker fails for
// itself.
import type { TransferListItem } from 'node:worker_threads'
import { callSafely, BusError } from '@sallyport/protocol'
import type { LifecycleState } from '@sallyport/protocol/actor'
import {
  type ActorOptions,
  type AnyActorLogic,
  type AnyStateMachine,
  createActor,
  enqueueActions,
  setup,
  stopChild,
} from 'xstate'
import type { WorkerStats } from './policy.js'
import type { ThreadEvent, ThreadExit, ThreadSpec } from './worker-actor.js'
import { getState, type ThreadInput, threadMachine, type ThreadSnapshot } from './worker-machine.js'

// Who has asked for a worker to be loaded again waits here until it is ready, or can't be.

export const notReady = (): BusError => new BusError('Disconnected', 'The worker was stopped before it was ready')

export class Reloads {
  readonly #waiting: { resolve(): void; reject(error: Error): void }[] = []

  /** @param snapshot of the worker, once it was told */
  wait(snapshot: ThreadSnapshot): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.settle(snapshot)
    })
  }

  settle(snapshot: ThreadSnapshot): void {
    const isReady = snapshot.matches({ alive: 'running' })
    if (snapshot.matches('alive') && !isReady) return
    const error = snapshot.context.error ?? notReady()
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (isReady) resolve()
      else reject(error)
    }
  }
}

// Remembers what a worker last said of its own state, for whoever looks at it.

export interface LifecycleSpec extends ThreadSpec {
  /** Of the thread that was started last. */
  readonly life: LifecycleState | undefined
}

/** A worker without a sandbox may say anything. */
const LIVES: ReadonlySet<unknown> = new Set<LifecycleState>([
  'booting',
  'handshaking',
  'ready',
  'draining',
  'stopped',
  'failed',
])

export function trackLifecycle(spec: ThreadSpec): LifecycleSpec {
  let life: LifecycleState | undefined
  return {
    ...spec,
    get life() {
      return life
    },
    spawn(heartbeat) {
      life = undefined
      return spec.spawn(heartbeat)
    },
    onState(state) {
      life = LIVES.has(state) ? state : undefined
      spec.onState(state)
    },
  }
}

export type BusState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed'

interface ThreadActor {
  getSnapshot(): ThreadSnapshot
  send(event: ThreadEvent): void
  subscribe(observer: { next(snapshot: ThreadSnapshot): void; complete(): void }): unknown
}

type SupervisorEvent =
  | { type: 'thread.start'; id: string; input: ThreadInput }
  | { type: 'core.ready' }
  | { type: 'core.failed' }
  | { type: 'drain' }
  | { type: 'ended' }
  | { type: `xstate.done.actor.${string}`; actorId: string }

const machine = setup({
  types: {} as { context: object; events: SupervisorEvent },
  actors: { thread: threadMachine },
}).createMachine({
  id: 'supervisor',
  context: {},
  initial: 'starting',
  on: {
    'thread.start': {
      actions: enqueueActions(({ enqueue, event }) => {
        enqueue.spawnChild('thread', { id: event.id, input: event.input })
      }),
    },
    // A child that has ended is let go: frontends come and go for as long as the bus lives.
    'xstate.done.actor.*': { actions: stopChild(({ event }) => event.actorId) },
  },
  states: {
    starting: { on: { 'core.ready': 'running', 'core.failed': 'failed', drain: 'draining' } },
    running: { on: { 'core.failed': 'failed', drain: 'draining' } },
    draining: { on: { ended: 'stopped' } },
    failed: { on: { drain: 'draining' } },
    stopped: { type: 'final' },
  },
})

/** @internal For the page that draws it. */
export const supervisorMachine: AnyStateMachine = machine

/** A worker, as whoever started it sees it: one thread after the other. */
export interface SupervisedThread {
  /** What it is now, and how often it was started again. */
  readonly stats: WorkerStats
  /** There is a thread that takes messages. */
  readonly isUp: boolean
  /** Rejects where the first thread ends before it was ready: that is not tried again. */
  readonly ready: Promise<void>
  /** Resolves when no thread follows. Never rejects. */
  readonly exited: Promise<ThreadExit>
  /** To the thread that there is; where there is none, to nobody. */
  post(message: unknown, transfer?: readonly TransferListItem[]): void
  /** Asks the thread to drain for at most `timeout` milliseconds, then ends it. Resolves once it has exited, or can't. */
  stop(timeout: number): Promise<ThreadExit>
  /** Ends the thread from outside, for this reason. It counts as exited at once, and may be started again. */
  end(error: Error): void
  /** The same, but the thread is asked to end first, and has half a second. */
  dismiss(error: Error): void
  /** As `end`, and it is not started again. */
  fail(error: Error): void
  /**
   * Ends the thread, and starts another in its place. It is no failure, and not counted as one. Resolves once that is ready;
   * rejects with what kept it from that.
   */
  reload(): Promise<void>
}

/** What xstate's `InspectionEvent` is, in so many words as hold for all of them. */
export interface BusInspection {
  readonly type: `@xstate.${string}`
  /** Of all actors of this bus. */
  readonly rootId: string
  readonly actorRef: { readonly id: string }
  /** What the actor was sent, or what it is now. */
  readonly event?: { readonly type: string }
  readonly snapshot?: { readonly status: string; readonly value?: unknown }
}

export interface WorkerStatus extends WorkerStats {
  /** What the thread says of itself, where there is one. */
  life: LifecycleState | undefined
}

export interface Supervisor {
  readonly state: BusState
  /** Workers that have not ended. */
  readonly threads: number
  /** Their names. */
  readonly names: readonly string[]
  /** What each worker is now, by its name. */
  sights(): Map<string, WorkerStatus>
  start(spec: ThreadSpec): SupervisedThread
  signal(event: 'core.ready' | 'core.failed' | 'drain' | 'ended'): void
  /** Tells of each event and state of the supervisor's actors. Gives back what ends that. */
  inspect(listener: (event: BusInspection) => void): () => void
}

/** @internal */
export interface SupervisorOptions {
  clock?: ActorOptions<AnyActorLogic>['clock']
  now?(): number
  /** From 0 to 1. */
  random?(): number
}

/** @internal Time and chance can be given: for tests. */
export function createSupervisor({
  clock,
  now = () => performance.now(),
  random = Math.random,
}: SupervisorOptions = {}): Supervisor {
  const listeners = new Set<(event: BusInspection) => void>()
  const actor = createActor(machine, {
    ...(clock && { clock }),
    inspect: event => listeners.forEach(listener => callSafely(() => listener(event as unknown as BusInspection))),
  })
  let started = 0
  actor.start()
  return {
    get state(): BusState {
      return actor.getSnapshot().value
    },
    get threads(): number {
      return Object.keys(actor.getSnapshot().children).length
    },
    get names(): readonly string[] {
      return Object.keys(actor.getSnapshot().children).map(nameIn)
    },
    sights(): Map<string, WorkerStatus> {
      const threads = Object.entries(actor.getSnapshot().children) as unknown as [string, ThreadActor][]
      return new Map(threads.map(([id, thread]) => [nameIn(id), getWorkerStatus(thread.getSnapshot())]))
    },
    start(given: ThreadSpec): SupervisedThread {
      const spec = trackLifecycle(given)
      const id = `${spec.name} #${++started}`
      actor.send({ type: 'thread.start', id, input: { spec, now, random } })
      return supervised(actor.getSnapshot().children[id] as unknown as ThreadActor, spec)
    },
    signal: type => actor.send({ type }),
    inspect(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

const nameIn = (id: string): string => id.slice(0, id.lastIndexOf(' #'))

const getStats = (snapshot: ThreadSnapshot): WorkerStats => ({
  state: getState(snapshot),
  restarts: snapshot.context.history.count,
})

function getWorkerStatus(snapshot: ThreadSnapshot): WorkerStatus {
  const isThere = typeof snapshot.value === 'object'
  return { ...getStats(snapshot), life: isThere ? (snapshot.context.spec as LifecycleSpec).life : undefined }
}

function supervised(thread: ThreadActor, spec: ThreadSpec): SupervisedThread {
  let becameReady: () => void
  let endedEarly: (error: Error) => void
  let ended: (exit: ThreadExit) => void
  const ready = new Promise<void>((resolve, reject) => {
    becameReady = resolve
    endedEarly = reject
  })
  ready.catch(() => {})
  const exited = new Promise<ThreadExit>(resolve => (ended = resolve))
  let isUp = true
  let told = 0
  const reloads = new Reloads()
  thread.subscribe({
    next(snapshot) {
      const { context } = snapshot
      const wasUp = isUp
      isUp = snapshot.matches({ alive: 'starting' }) || snapshot.matches({ alive: 'running' })
      if (snapshot.matches({ alive: 'running' })) becameReady()
      if (context.downs > told) {
        told = context.downs
        spec.onDown(context.down)
      }
      if (isUp && !wasUp) spec.onUp()
      reloads.settle(snapshot)
    },
    complete() {
      isUp = false
      const snapshot = thread.getSnapshot()
      const { error, death } = snapshot.context
      reloads.settle(snapshot)
      endedEarly(error ?? notReady())
      ended({ error, death: error && death })
    },
  })
  // A thread may end while something is on its way to it.
  const send = (event: ThreadEvent): void => {
    if (thread.getSnapshot().status === 'active') thread.send(event)
  }
  return {
    get stats(): WorkerStats {
      return getStats(thread.getSnapshot())
    },
    get isUp(): boolean {
      return isUp
    },
    ready,
    exited,
    post: (message, transfer = []) => send({ type: 'post', message, transfer }),
    async stop(timeout: number): Promise<ThreadExit> {
      send({ type: 'stop', timeout })
      return exited
    },
    end: error => send({ type: 'end', error }),
    dismiss: error => send({ type: 'dismiss', error }),
    fail: error => send({ type: 'fail', error }),
    reload() {
      send({ type: 'reload' })
      return reloads.wait(thread.getSnapshot())
    },
  }
}
