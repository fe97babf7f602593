// The supervisor of a host: an xstate actor with one child actor per worker. A failure of core fails the bus; any other worker fails alone.
import { deadline, type Heartbeat } from '@sallyport/protocol/internal/contract'
import { callSafely } from '@sallyport/protocol/internal/util'
import {
  type ActorOptions,
  type AnyActorRef,
  type AnyStateMachine,
  createActor,
  enqueueActions,
  setup,
  stopChild,
} from 'xstate'
import { readUsage, type WorkerUsage } from '../../shared/heap-limit.js'
import type { LifeInput } from './context.js'
import { codeMachine, lifeMachine, toLife } from './machine.js'
import type { WorkerDeps, WorkerSpec } from './spec.js'
import { type Life, SteppedLife } from './step.js'
import { SupervisedWorker } from './worker.js'
import type { WorkerStats } from '../supervision/policy.js'

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
  | { type: 'worker.start'; id: string; machine: 'code' | 'life'; input: LifeInput }
  | { type: 'worker.ended'; id: string }
  | { type: 'core.ready' | 'core.failed' | 'drain' | 'ended' }

const machine = setup({
  types: {} as { context: object; events: SupervisorEvent },
  actors: { code: codeMachine, life: lifeMachine },
}).createMachine({
  id: 'supervisor',
  context: {},
  initial: 'starting',
  on: {
    'worker.start': {
      actions: enqueueActions(({ enqueue, event }) => {
        enqueue.spawnChild(event.machine, { id: event.id, input: event.input })
      }),
    },
    // Releases workers that exited: frontends come and go for as long as the bus exists.
    'worker.ended': { actions: stopChild(({ event }) => event.id) },
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

/** @internal For tests: a clock and a random source of their own. */
export interface SupervisorOptions extends Partial<Pick<WorkerDeps, 'now' | 'random'>> {
  clock?: NonNullable<ActorOptions<typeof machine>['clock']>
}

/** @internal */
export function createSupervisor(options: SupervisorOptions = {}): Supervisor {
  const { clock, now = () => performance.now(), random = Math.random } = options
  const listeners = new Set<(event: BusInspection) => void>()
  const actor = createActor(machine, {
    inspect: event => listeners.forEach(listener => callSafely(() => listener(event as unknown as BusInspection))),
  })
  const isDraining = (): boolean => actor.getSnapshot().value === 'draining'
  const after: WorkerDeps['after'] = (ms, run) => {
    // Most of what is waited for are messages of a thread, or its exit.
    if (!clock) return deadline(ms, run)
    const timer: unknown = clock.setTimeout(run, ms)
    return () => clock.clearTimeout(timer)
  }
  const workers = new Set<SupervisedWorker>()
  let started = 0
  actor.start()
  return {
    get state(): BusState {
      return actor.getSnapshot().value
    },
    get workerNames(): readonly string[] {
      return Array.from(workers, ({ spec }) => spec.name)
    },
    getWorkerStatuses: () => new Map(Array.from(workers, worker => [worker.spec.name, getStatus(worker)])),
    start(spec) {
      const id = `${spec.name} #${++started}`
      const create = (input: LifeInput): Life => {
        if (spec.isShort) return new SteppedLife(input)
        actor.send({ type: 'worker.start', id, machine: spec.links ? 'life' : 'code', input })
        return toLife(actor.getSnapshot().children[id] as unknown as AnyActorRef)
      }
      const release = (): void => {
        workers.delete(worker)
        if (!spec.isShort) actor.send({ type: 'worker.ended', id })
      }
      const worker = new SupervisedWorker(spec, { now, random, isDraining, after }, create, release)
      workers.add(worker)
      return worker
    },
    signal: type => actor.send({ type }),
    inspect(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

function getStatus({ stats, code }: SupervisedWorker): WorkerStatus {
  const { heartbeat, thread } = code
  if (['backingOff', 'waiting', 'stopped', 'failed'].includes(stats.state)) return stats
  return { ...stats, heartbeat, usage: thread && readUsage(thread) }
}
