// The supervisor of a host: an xstate actor with one child actor per worker, made from the table: `bus.inspect` and the
// inspector show them, and docs/internals/machines.md draws them. A failure of core fails the bus; any other worker fails alone.
import { deadline, type Heartbeat } from '@sallyport/protocol/internal/contract'
import { callSafely } from '@sallyport/protocol/internal/util'
import {
  type ActorOptions,
  and,
  type AnyActorRef,
  type AnyStateMachine,
  assign,
  createActor,
  enqueueActions,
  not,
  or,
  setup,
  stateIn,
  stopChild,
} from 'xstate'
import { readUsage, type WorkerUsage } from '../../shared/heap-limit.js'
import type { WorkerStats } from './policy.js'
import {
  CHANGES,
  CONDITIONS,
  createContext,
  type EffectName,
  type LifeContext,
  type LifeEvent,
  type LifeInput,
} from './rules.js'
import type { WorkerDeps, WorkerSpec } from './thread.js'
import {
  type Condition,
  INITIAL,
  type Life,
  LIFE,
  type LifeState,
  type LifeValue,
  type Region,
  SteppedLife,
  type Transition,
} from './table.js'
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

interface Scope {
  context: LifeContext
  event: LifeEvent
}

const map = <Value, Mapped>(
  record: Readonly<Record<string, Value>>,
  toMapped: (value: Value, name: string) => Mapped,
) => Object.fromEntries(Object.entries(record).map(([name, value]) => [name, toMapped(value, name)]))

function toGuard(condition: Condition): never {
  if (typeof condition === 'string') return condition as never
  if ('not' in condition) return not(toGuard(condition.not)) as never
  if ('all' in condition) return and(condition.all.map(toGuard)) as never
  return or(condition.states.map(state => stateIn({ [condition.region]: state }))) as never
}

const toTransition = ({ if: condition, to, do: actions = [] }: Transition) => ({
  ...(condition !== undefined && { guard: toGuard(condition) }),
  ...(to !== undefined && { target: to }),
  actions,
})

const toState = ({ on = {}, always = [], entry = [], exit = [] }: LifeState) => ({
  ...{ entry, exit, always: always.map(toTransition), on: map(on, transitions => transitions.map(toTransition)) },
})

const runEffect =
  (name: EffectName) =>
  ({ context, event }: Scope): void =>
    context.effects[name]?.(context, event)

/** @internal The effects of a table: what it does, and is no change. */
export const getEffects = (table: Readonly<Record<string, Readonly<Record<string, LifeState>>>>): EffectName[] => {
  const states = Object.values(table).flatMap(region => Object.values(region))
  const actions = states.flatMap(({ entry = [], exit = [], always = [], on = {} }) => {
    const transitions = [...always, ...Object.values(on).flat()]
    return [...entry, ...exit, ...transitions.flatMap(({ do: names = [] }) => names)]
  })
  return [...new Set(actions)].filter(name => !(name in CHANGES)) as EffectName[]
}

/** The types of a machine follow from its table, and say less than those of the table. */
function createMachine(id: string, regions: readonly Region[]): AnyStateMachine {
  const actions = {
    ...Object.fromEntries(getEffects(LIFE).map(name => [name, runEffect(name)])),
    ...map(CHANGES, change => assign(({ context, event }: Scope) => change(context, event))),
  }
  const guards = map(
    CONDITIONS,
    holds =>
      ({ context, event }: Scope) =>
        holds(context, event),
  )
  const states = Object.fromEntries(
    regions.map(region => [region, { initial: INITIAL[region], states: map(LIFE[region], toState) }]),
  )
  const context = ({ input }: { input: LifeInput }): LifeContext => createContext(input)
  const machine: unknown = setup({ actions, guards } as never).createMachine({
    ...{ id, type: 'parallel', context, states },
  } as never)
  return machine as AnyStateMachine
}

/** @internal That of core or of a gate. */
export const codeMachine: AnyStateMachine = createMachine('code', ['code'])
/** @internal That of a frontend. */
export const lifeMachine: AnyStateMachine = createMachine('life', Object.keys(LIFE) as Region[])

/** @internal A life as an actor of one of the machines. */
export const toLife = (actor: AnyActorRef): Life => ({
  get value() {
    return (actor.getSnapshot() as { value: LifeValue }).value
  },
  get context() {
    return (actor.getSnapshot() as { context: LifeContext }).context
  },
  send(event) {
    // It can have ended while the event was being prepared.
    if ((actor.getSnapshot() as { status: string }).status === 'active') actor.send(event)
  },
})

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
