// The supervisor of a host: an xstate actor with one child actor per worker. A failure of core fails the bus; any other worker fails alone.
import type { Heartbeat, LifecycleState } from '@sallyport/protocol/internal/contract'
import { callSafely, createDeferred, type Deferred } from '@sallyport/protocol/internal/util'
import { type ActorOptions, type AnyStateMachine, createActor, enqueueActions, setup, stopChild } from 'xstate'
import type { WorkerState, WorkerStats } from './policy.js'
import { SingleWorker } from './single-worker.js'
import {
  askThread,
  createStoppedError,
  createThreadStatus,
  postToThread,
  type SupervisedWorker,
  type ThreadInput,
  type WorkerEvent,
  type WorkerExit,
  type WorkerSpec,
} from './worker-actor.js'
import { setDeadline } from '../../shared/set-deadline.js'
import { readUsage, type WorkerUsage } from '../../shared/worker-usage.js'
import { type WorkerInput, workerMachine, type WorkerMachineActor } from './worker-machine.js'

export type BusState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed'

/** An event or a state of the bus's state machines: the common part of all variants of xstate's `InspectionEvent`. */
export interface BusInspection {
  /** The kind of the inspection event, such as `@xstate.snapshot`. */
  readonly type: `@xstate.${string}`
  /** One id for all actors of this bus. */
  readonly rootId: string
  /** The actor that the event is about. */
  readonly actorRef: { readonly id: string }
  /** The event that the actor received. */
  readonly event?: { readonly type: string }
  /** The actor's state afterwards. */
  readonly snapshot?: { readonly status: string; readonly value?: unknown }
}

export interface WorkerStatus extends WorkerStats {
  /** The thread's report of its own state; `undefined` without a thread. */
  lifecycle: LifecycleState | undefined
  /** The heartbeat of the current thread, if it is watched. */
  heartbeat?: Heartbeat | undefined
  /** What the current thread or its process uses, as its limits measured it last. */
  usage?: WorkerUsage | undefined
}

export interface Supervisor {
  readonly state: BusState
  /** Names of the workers that have not exited. */
  readonly workerNames: readonly string[]
  getWorkerStatuses(): Map<string, WorkerStatus>
  start(spec: WorkerSpec): SupervisedWorker
  signal(event: 'core.ready' | 'core.failed' | 'drain' | 'ended'): void
  /** Calls the listener for each event and state of the supervisor's actors. Returns an unsubscribe function. */
  inspect(listener: (event: BusInspection) => void): () => void
}

type SupervisorEvent =
  | { type: 'worker.start'; id: string; input: WorkerInput }
  | { type: 'core.ready' | 'core.failed' | 'drain' | 'ended' }
  | { type: `xstate.done.actor.${string}`; actorId: string }

const machine = setup({
  types: {} as { context: object; events: SupervisorEvent },
  actors: { worker: workerMachine },
}).createMachine({
  id: 'supervisor',
  context: {},
  initial: 'starting',
  on: {
    'worker.start': {
      actions: enqueueActions(({ enqueue, event }) => {
        enqueue.spawnChild('worker', { id: event.id, input: event.input })
      }),
    },
    // Releases workers that exited: frontends come and go for as long as the bus exists.
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

/** @internal */
export const supervisorMachine: AnyStateMachine = machine

/** Most of what the machines wait for are messages of a thread, or its exit. */
const deadlines = {
  setTimeout: (onLate: () => void, ms: number): unknown => setDeadline(ms, onLate),
  clearTimeout: (end: () => void): void => end(),
}

/** @internal For tests: a clock and a random source of their own. */
export interface SupervisorOptions extends Partial<Pick<WorkerInput, 'now' | 'random'>> {
  clock?: ActorOptions<typeof machine>['clock']
}

/** @internal */
export function createSupervisor(options: SupervisorOptions = {}): Supervisor {
  const { clock = deadlines, now = () => performance.now(), random = Math.random } = options
  const listeners = new Set<(event: BusInspection) => void>()
  const actor = createActor(machine, {
    clock,
    inspect: event => listeners.forEach(listener => callSafely(() => listener(event as unknown as BusInspection))),
  })
  const getWorkers = (): WorkerSnapshot[] =>
    (Object.values(actor.getSnapshot().children) as unknown as WorkerMachineActor[]).map(each => each.getSnapshot())
  const isDraining = (): boolean => actor.getSnapshot().value === 'draining'
  const singles = new Set<SingleWorker>()
  let started = 0
  actor.start()
  return {
    get state(): BusState {
      return actor.getSnapshot().value
    },
    get workerNames(): readonly string[] {
      const names = getWorkers().map(({ context }) => context.spec.name)
      return [...names, ...Array.from(singles, ({ input }) => input.spec.name)]
    },
    getWorkerStatuses: () =>
      new Map([
        ...getWorkers().map(worker => [worker.context.spec.name, getWorkerStatus(worker)] as const),
        ...Array.from(singles, single => [single.input.spec.name, getStatus(single.stats, single.input)] as const),
      ]),
    start(spec) {
      if (spec.isSingle) {
        const single = new SingleWorker({ spec, status: createThreadStatus(), isDraining }, () =>
          singles.delete(single),
        )
        if (single.isAlive) singles.add(single)
        return single
      }
      const id = `${spec.name} #${++started}`
      actor.send({ type: 'worker.start', id, input: { spec, now, random, isDraining } })
      return createSupervisedWorker(actor.getSnapshot().children[id] as unknown as WorkerMachineActor, spec)
    },
    signal: type => actor.send({ type }),
    inspect(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

type WorkerSnapshot = ReturnType<WorkerMachineActor['getSnapshot']>

function getWorkerStatus(snapshot: WorkerSnapshot): WorkerStatus {
  const stats = getStats(snapshot)
  return snapshot.matches('alive') ? getStatus(stats, snapshot.context) : { ...stats, lifecycle: undefined }
}

const getStatus = (stats: WorkerStats, { status: { lifecycle, heartbeat, thread } }: ThreadInput): WorkerStatus => ({
  ...stats,
  ...{ lifecycle, heartbeat },
  usage: thread && readUsage(thread),
})

/** `ended` and `reloaded` are transient states: no snapshot shows them. */
const getStats = ({ value, context }: WorkerSnapshot): WorkerStats => {
  const state = typeof value === 'object' ? value.alive : value
  return { state: state === 'killing' ? 'draining' : (state as WorkerState), restarts: context.history.count }
}

function createSupervisedWorker(actor: WorkerMachineActor, spec: WorkerSpec): SupervisedWorker {
  const ready = createDeferred()
  const exited = createDeferred<WorkerExit>()
  ready.promise.catch(() => {})
  let isUp = true
  let isReady = false
  let generation = 0
  /** Callers of `reload` that wait until the worker is ready or cannot become ready. */
  const reloads: Deferred<void>[] = []
  const settleReloads = (snapshot: WorkerSnapshot): void => {
    if (reloads.length === 0) return
    const isRunning = snapshot.matches({ alive: 'running' })
    if (snapshot.matches('alive') && !isRunning) return
    const error = snapshot.context.error ?? createStoppedError()
    for (const { resolve, reject } of reloads.splice(0)) {
      if (isRunning) resolve()
      else reject(error)
    }
  }
  actor.subscribe({
    next(snapshot) {
      const { context } = snapshot
      const wasUp = isUp
      const isRunning = snapshot.matches({ alive: 'running' })
      isUp = isRunning || snapshot.matches({ alive: 'starting' })
      if (isRunning) {
        isReady = true
        ready.resolve()
      }
      const isSuccessor = context.generation > generation
      generation = context.generation
      if (isSuccessor) spec.onStopped(context.restart)
      // A spare that ended unused has its successor at once.
      if (isUp && (!wasUp || isSuccessor)) spec.onRestarted()
      settleReloads(snapshot)
    },
    complete() {
      isUp = false
      const snapshot = actor.getSnapshot()
      const { error, exitError, status } = snapshot.context
      settleReloads(snapshot)
      if (!isReady) ready.reject(error ?? createStoppedError())
      exited.resolve({ error, exitError: error && exitError, code: status.exitCode })
    },
  })
  // The worker can exit while an event for it is being prepared.
  const send = (event: WorkerEvent): void => {
    if (actor.getSnapshot().status === 'active') actor.send(event)
  }
  return {
    get stats(): WorkerStats {
      return getStats(actor.getSnapshot())
    },
    get isUp(): boolean {
      return isUp && actor.getSnapshot().context.status.thread !== undefined
    },
    ready: ready.promise,
    exited: exited.promise,
    // No event of the machine, which would cost more than the message.
    post(message, transfer) {
      const snapshot = actor.getSnapshot()
      if (snapshot.matches('alive')) postToThread(snapshot.context.status, message, transfer)
    },
    ask(onAnswer) {
      askThread(actor.getSnapshot().context.status, onAnswer)
    },
    stop(timeout) {
      send({ type: 'stop', timeout })
      return exited.promise
    },
    terminate: error => send({ type: 'terminate', error }),
    dismiss: error => send({ type: 'dismiss', error }),
    fail: error => send({ type: 'fail', error }),
    reload() {
      send({ type: 'reload' })
      const reload = createDeferred()
      reloads.push(reload)
      settleReloads(actor.getSnapshot())
      return reload.promise
    },
  }
}
