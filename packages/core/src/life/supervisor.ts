// The supervisor of a host: an xstate actor for the bus, and one for each life. `bus.onTransition` shows them. Each is a root: an actor copies the table of
// its children whenever one starts or ends, which is quadratic with thousands of them. A failure of core fails the bus; any other worker fails alone.
import { deadline, type Heartbeat } from '@sallyport/protocol/internal/contract'
import { callSafely } from '@sallyport/protocol/internal/util'
import { type ActorLogic, createActor, type InspectionEvent, setup, type Snapshot } from 'xstate'
import { readUsage, type WorkerUsage } from '../shared/heap-limit.js'
import type { WorkerStats } from './policy.js'
import type { LifeEvent, LifeInput, LifeTerms } from './judge.js'
import type { WorkerDeps, WorkerSpec } from './thread.js'
import { hasEnded, type Life, type LifeValue, SteppedLife } from './table.js'
import { SupervisedWorker } from './worker.js'

export type BusState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed'

/** What `bus.onTransition` tells of the state machines of the bus: the common part of all variants of xstate's `InspectionEvent`. */
export interface BusTransition {
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
  /** The name of the worker whose code the current thread runs now, if several share it; `unknown` if it does not say that. */
  runs?: string | undefined
  /** What the current thread or its process uses, as its limits measured it last. */
  usage?: WorkerUsage | undefined
}

type LifeSnapshot = Snapshot<undefined> & { readonly life: SteppedLife; readonly value: Partial<LifeValue> }

function toSnapshot(life: SteppedLife): LifeSnapshot {
  const { code, ...links } = life.value
  // Core and gates have no links.
  const value = life.context.nextLink ? { code, ...links } : { code }
  return hasEnded(life)
    ? { status: 'done', output: undefined, error: undefined, life, value }
    : { status: 'active', output: undefined, error: undefined, life, value }
}

/** A life as an actor, which steps through the table. */
const lifeLogic: ActorLogic<LifeSnapshot, LifeEvent, LifeInput> = {
  getInitialSnapshot: (_scope, input) => toSnapshot(new SteppedLife(input)),
  transition({ life }, event) {
    // An effect that throws must not end the actor: its life goes on.
    callSafely(() => life.send(event))
    return toSnapshot(life)
  },
  getPersistedSnapshot: snapshot => snapshot,
}

const machine = setup({
  types: {} as { context: object; events: { type: 'core.ready' | 'core.failed' | 'drain' | 'ended' } },
}).createMachine({
  id: 'bus',
  context: {},
  initial: 'starting',
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
  readonly #listeners = new Set<(event: BusTransition) => void>()
  readonly #deps: WorkerDeps
  readonly #inspect = (event: InspectionEvent): void => {
    if (this.#listeners.size === 0) return
    const inspection = { ...event, rootId: this.#actor.sessionId } as unknown as BusTransition
    for (const listener of this.#listeners) callSafely(() => listener(inspection))
  }
  readonly #actor = createActor(machine, { id: 'bus', inspect: this.#inspect })
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
    const worker = new SupervisedWorker(
      spec,
      this.#deps,
      terms => this.createLife(terms),
      () => void this.#workers.delete(worker),
    )
    this.#workers.add(worker)
    return worker
  }

  createLife(terms: LifeTerms): Life {
    const input = { ...this.#deps, ...terms }
    const id = `${terms.name} #${++this.#started}`
    const actor = createActor(lifeLogic, { id, input, inspect: this.#inspect }).start()
    const { value, context } = actor.getSnapshot().life
    // xstate would warn of what arrives after the end.
    const send = (event: LifeEvent): void => void (actor.getSnapshot().status === 'active' && actor.send(event))
    return { value, context, send }
  }

  signal(type: 'core.ready' | 'core.failed' | 'drain' | 'ended'): void {
    this.#actor.send({ type })
  }

  /** Calls the listener for each event and state of the supervisor's actors. Returns an unsubscribe function. */
  inspect(listener: (event: BusTransition) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

function getStatus({ stats, code }: SupervisedWorker): WorkerStatus {
  const { heartbeat, thread } = code
  if (['backingOff', 'waiting', 'stopped', 'failed'].includes(stats.state)) return stats
  return { ...stats, heartbeat, runs: thread?.runs, usage: thread && readUsage(thread) }
}
