// The supervisor of a host: an xstate actor with one child actor for each worker, whose life it is. `bus.inspect` and the inspector show them. A
// failure of core fails the bus; any other worker fails alone.
import { deadline, type Heartbeat } from '@sallyport/protocol/internal/contract'
import { callSafely } from '@sallyport/protocol/internal/util'
import {
  type ActorLogic,
  type ActorRefFrom,
  createActor,
  enqueueActions,
  setup,
  type Snapshot,
  stopChild,
} from 'xstate'
import { readUsage, type WorkerUsage } from '../../shared/heap-limit.js'
import type { WorkerStats } from './policy.js'
import type { LifeEvent, LifeInput } from './rules.js'
import type { WorkerDeps, WorkerSpec } from './thread.js'
import { type Life, type LifeValue, SteppedLife } from './table.js'
import { SupervisedWorker } from './worker.js'

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

type LifeSnapshot = Snapshot<undefined> & { readonly life: SteppedLife; readonly value: Partial<LifeValue> }

/** Core and gates have no links. */
const toValue = ({ value, context }: SteppedLife): Partial<LifeValue> =>
  context.nextLink ? { ...value } : { code: value.code }

/** A life as an actor, which steps through the table. */
const lifeLogic: ActorLogic<LifeSnapshot, LifeEvent, LifeInput> = {
  getInitialSnapshot(_scope, input) {
    const life = new SteppedLife(input)
    return { status: 'active', output: undefined, error: undefined, life, value: toValue(life) }
  },
  transition(snapshot, event) {
    if (event.type === 'xstate.stop') return { ...snapshot, status: 'stopped', output: undefined, error: undefined }
    snapshot.life.send(event)
    return { ...snapshot, value: toValue(snapshot.life) }
  },
  getPersistedSnapshot: snapshot => snapshot,
}

type SupervisorEvent =
  | { type: 'worker.start'; id: string; input: LifeInput }
  | { type: 'worker.ended'; id: string }
  | { type: 'core.ready' | 'core.failed' | 'drain' | 'ended' }

const machine = setup({
  types: {} as { context: object; events: SupervisorEvent },
  actors: { life: lifeLogic },
}).createMachine({
  id: 'supervisor',
  context: {},
  initial: 'starting',
  on: {
    'worker.start': {
      actions: enqueueActions(({ enqueue, event }) => {
        enqueue.spawnChild('life', { id: event.id, input: event.input })
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

/** @internal The states of the bus. */
export const BUS = machine.config.states as Readonly<Record<string, object>>

/** @internal */
export class Supervisor {
  readonly #workers = new Set<SupervisedWorker>()
  readonly #listeners = new Set<(event: BusInspection) => void>()
  readonly #deps: WorkerDeps
  readonly #actor = createActor(machine, {
    inspect: event =>
      this.#listeners.forEach(listener => callSafely(() => listener(event as unknown as BusInspection))),
  })
  #started = 0

  constructor(deps: Partial<Omit<WorkerDeps, 'isDraining'>> = {}) {
    const isDraining = (): boolean => this.state === 'draining'
    this.#deps = { now: () => performance.now(), random: Math.random, after: deadline, isDraining, ...deps }
    this.#actor.start()
  }

  get state(): BusState {
    return this.#actor.getSnapshot().value
  }

  /** Returns those that have not exited, by name. */
  getWorkerStatuses(): Map<string, WorkerStatus> {
    return new Map(Array.from(this.#workers, worker => [worker.spec.name, getStatus(worker)]))
  }

  start(spec: WorkerSpec): SupervisedWorker {
    const id = `${spec.name} #${++this.#started}`
    const create = (input: LifeInput): Life => {
      if (spec.isShort) return new SteppedLife(input)
      this.#actor.send({ type: 'worker.start', id, input })
      const child = this.#actor.getSnapshot().children[id] as unknown as ActorRefFrom<typeof lifeLogic>
      const { value, context } = child.getSnapshot().life
      // It can have ended while the event was being prepared.
      const send = (event: LifeEvent): void => void (child.getSnapshot().status === 'active' && child.send(event))
      return { value, context, send }
    }
    const release = (): void => {
      this.#workers.delete(worker)
      if (!spec.isShort) this.#actor.send({ type: 'worker.ended', id })
    }
    const worker = new SupervisedWorker(spec, this.#deps, create, release)
    this.#workers.add(worker)
    return worker
  }

  signal(type: 'core.ready' | 'core.failed' | 'drain' | 'ended'): void {
    this.#actor.send({ type })
  }

  /** Calls the listener for each event and state of the supervisor's actors. Returns an unsubscribe function. */
  inspect(listener: (event: BusInspection) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

function getStatus({ stats, code }: SupervisedWorker): WorkerStatus {
  const { heartbeat, thread } = code
  if (['backingOff', 'waiting', 'stopped', 'failed'].includes(stats.state)) return stats
  return { ...stats, heartbeat, usage: thread && readUsage(thread) }
}
