// What the host says of a worker that it starts, and what it hears.
import type { Heartbeat, LifecycleState } from '@sallyport/protocol/internal/contract'
import type { TransferListItem } from '@sallyport/protocol/internal/link'
import type { RelaySockets } from '@sallyport/process/internal'
import type { UsageSource } from '../../shared/heap-limit.js'
import type { SupervisionConfig } from '../supervision/policy.js'
import type { RunningThread } from '../supervision/running-time.js'
import type { Effects, LifeContext, LifeInput } from './context.js'

/** The part of a Node `Worker` that supervision uses. Core in the host's own thread implements it too. */
export interface ThreadHandle extends UsageSource, RunningThread {
  postMessage(message: unknown, transfer?: readonly TransferListItem[]): void
  on(event: 'message' | 'error', listener: (value: unknown) => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
  terminate(): Promise<unknown>
  unref(): void
  /** The sockets of its process, if it has one and its relay forwards no frames. */
  readonly sockets?: RelaySockets | undefined
  /** What reports the hosts that its broker denies, if it has a broker and no relay. */
  readonly broker?: { on(event: 'message', listener: (report: unknown) => void): unknown } | undefined
  /** True if it was started before it was known whose it is. One that ends before it begins is replaced. */
  readonly wasStartedAhead?: boolean | undefined
  /** Returns the error of a thread whose heartbeat has stopped, if another worker can be to blame. */
  explainBlock?(error: Error): Error
}

/** What the supervisor of a host gives each of its workers. */
export type WorkerDeps = Pick<LifeInput, 'now' | 'random' | 'isDraining'> & {
  /** Calls `run` after `ms` milliseconds, and what has arrived meanwhile first. Returns a function that ends this. */
  after(ms: number, run: () => void): () => void
}

/** What the life of a frontend has in addition to that of its code. */
export interface FrontendTerms extends Pick<LifeInput, 'isIsolated' | 'nextLink'> {
  readonly effects: Partial<Effects>
}

export interface WorkerSpec {
  /** Name for error texts, the log and `bus.inspect`. */
  name: string
  supervision: SupervisionConfig
  /** Starts one thread of this worker. Called again for each restart. */
  spawn(heartbeat: Heartbeat | undefined): ThreadHandle
  /**
   * Milliseconds that the thread is given to exit beyond its time to drain, before it is terminated. A worker with a time of its
   * own is always asked to stop first.
   */
  stopTimeout?: number
  /** True if the thread does not get that time if its code runs on when it is asked to stop. */
  endsIfSilent?: boolean
  /** In development: after an error the worker waits for `reload` instead of restarting. */
  waitsAfterError?: boolean
  /** True while the worker's opener waits for it: an error is final then, because the opener gets it. */
  isOpening?(): boolean
  /** True once it must not restart, and stops soon. */
  isClosing?(): boolean
  /** In development: can add an explanation to an error. The exit is reported afterwards, or as soon as the signal aborts. */
  explainError?(error: Error, signal: AbortSignal): Promise<void> | undefined
  /** True if an uncaught `Disconnected` is expected while the worker or the bus ends: the worker has calls that end then. */
  endsWithItsCalls?: boolean
  /** True for a life that can be shorter than an actor of xstate takes. */
  isShort?: boolean
  /** A restarted thread that takes far too long to be ready is terminated. Only for workers that wait for no other worker. */
  hasStartTimeout?: boolean
  /** What the life of a frontend has in addition. */
  links?: FrontendTerms & Pick<LifeInput, 'keepsLink' | 'isSpent'>
  /** Called with each message other than a state report. It is untrusted. */
  onReport(report: unknown): void
  onState(state: LifecycleState): void
  /** Called when another thread was started in place of one that exited. */
  onRestarted(): void
  /** Called when the thread stopped and another one will follow: `undefined` for a requested reload. */
  onStopped(restart: Restart | undefined, context: LifeContext): void
  /** Called when no other thread follows. */
  onExit?(exit: WorkerExit, context: LifeContext): void
  onKilled(): void
}

export interface Restart {
  error: Error
  /** Number of restarts so far, including this one. */
  restarts: number
  /** Milliseconds until the restart; `undefined` if the worker waits for `reload`. */
  delay: number | undefined
}

export interface WorkerExit {
  /** Why the worker is not restarted; `undefined` if it stopped as it should. */
  error: Error | undefined
  /** The thread's own last error; `undefined` if the worker was failed by something outside of it. */
  exitError: Error | undefined
  /** The thread's exit code; `undefined` for a thread that was not waited for. */
  code?: number | undefined
}
