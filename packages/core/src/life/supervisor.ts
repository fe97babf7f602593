// The supervisor of a host: the state of the bus, and a life for each worker. A failure of core fails the bus; any other worker fails alone.
import { deadline, type Heartbeat } from '@sallyport/protocol/internal/contract'
import { callSafely } from '@sallyport/protocol/internal/util'
import { readUsage, type WorkerUsage } from '../shared/heap-limit.js'
import type { WorkerStats } from './policy.js'
import type { LifeTerms } from './rules.js'
import type { WorkerDeps, WorkerSpec } from './thread.js'
import { type Life, SteppedLife } from './table.js'
import { SupervisedWorker } from './worker.js'

export type BusState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed'
type BusSignal = 'core.ready' | 'core.failed' | 'drain' | 'ended'

export interface WorkerStatus extends WorkerStats {
  /** The heartbeat of the current thread, if it is watched. */
  heartbeat?: Heartbeat | undefined
  /** The name of the worker whose code the current thread runs now, if several share it; `unknown` if it does not say that. */
  runs?: string | undefined
  /** What the current thread or its process uses, as its limits measured it last. */
  usage?: WorkerUsage | undefined
}

/** @internal The states of the bus. */
export const BUS: Readonly<Record<BusState, { readonly on?: Readonly<Partial<Record<BusSignal, BusState>>> }>> = {
  starting: { on: { 'core.ready': 'running', 'core.failed': 'failed', drain: 'draining' } },
  running: { on: { 'core.failed': 'failed', drain: 'draining' } },
  draining: { on: { ended: 'stopped' } },
  failed: { on: { drain: 'draining' } },
  stopped: {},
}

/** @internal */
export class Supervisor {
  readonly #workers = new Set<SupervisedWorker>()
  readonly #deps: WorkerDeps
  #state: BusState = 'starting'

  constructor(deps: Partial<Omit<WorkerDeps, 'isDraining'>> = {}) {
    const isDraining = (): boolean => this.state === 'draining'
    this.#deps = { now: () => performance.now(), random: Math.random, after: deadline, isDraining, ...deps }
  }

  get state(): BusState {
    return this.#state
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
    const life = new SteppedLife({ ...this.#deps, ...terms })
    // An effect that throws must not end who has sent the event: its life goes on.
    return { value: life.value, context: life.context, send: event => callSafely(() => life.send(event)) }
  }

  signal(type: BusSignal): void {
    this.#state = BUS[this.#state].on?.[type] ?? this.#state
  }
}

function getStatus({ stats, code }: SupervisedWorker): WorkerStatus {
  const { heartbeat, thread } = code
  if (['backingOff', 'waiting', 'stopped', 'failed'].includes(stats.state)) return stats
  return { ...stats, heartbeat, runs: thread?.runs, usage: thread && readUsage(thread) }
}
