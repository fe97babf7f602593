// One worker thread as an xstate callback actor, which lives exactly as long. Only the thread's readiness and its exit go up as events.
import type { TransferListItem } from 'node:worker_threads'
import { BusError, createHeartbeat, LIFECYCLE_STATES, receiveError, reportError } from '@sallyport/protocol/internal'
import type { BusErrorReason, Heartbeat, LifecycleState, StateReport } from '@sallyport/protocol/internal'
import { type CallbackActorLogic, fromCallback } from 'xstate'
import type { SupervisionConfig } from './policy.js'
import { watchCounter } from './watchdog.js'

/** The part of a Node `Worker` that supervision uses. Core in the host's own thread implements it too. */
export interface ThreadHandle {
  postMessage(message: unknown, transfer?: readonly TransferListItem[]): void
  on(event: 'message' | 'error', listener: (value: unknown) => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
  terminate(): Promise<unknown>
  unref(): void
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
  /** In development: after an error the worker waits for `reload` instead of restarting. */
  waitsAfterError?: boolean
  /** True while the worker's opener waits for it: an error is final then, because the opener gets it. */
  isOpening?(): boolean
  /** In development: can add an explanation to an error. The exit is reported afterwards, or as soon as the signal aborts. */
  explainError?(error: Error, signal: AbortSignal): Promise<void> | undefined
  /**
   * Called when the thread exited with an uncaught error, other than for lack of memory. Returns true if another worker is to blame:
   * then the restart does not count against `intensity`.
   */
  chargeExit?(error: unknown): boolean
  /** True if an uncaught `Disconnected` is expected while the worker or the bus ends: the worker has calls that end then. */
  endsWithItsCalls?: boolean
  /** A restarted thread that takes far too long to be ready is terminated. Only for workers that wait for no other worker. */
  hasStartTimeout?: boolean
  /** Called with each message other than a state report. It is untrusted. */
  onReport(report: unknown): void
  onState(state: LifecycleState): void
  /** Called when another thread was started in place of one that exited. */
  onRestarted(): void
  /** Called when the thread stopped and another one will follow: `undefined` for a requested reload. */
  onStopped(restart: Restart | undefined): void
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

export type WorkerEvent =
  | { type: 'thread.ready' | 'kill' | 'reload' }
  | { type: 'thread.exited'; error: Error | undefined; isCharged: boolean }
  | { type: 'post'; message: unknown; transfer: readonly TransferListItem[] }
  | { type: 'stop'; timeout: number }
  | { type: 'terminate' | 'dismiss' | 'fail'; error: Error }

/** The input of each of a worker's threads. `status` is shared with the machine: what changes it is not a transition. */
export interface ThreadInput {
  spec: WorkerSpec
  status: {
    lifecycle: LifecycleState | undefined
    thread: ThreadHandle | undefined
    heartbeat: Heartbeat | undefined
    exitCode: number | undefined
  }
  /** True once the bus ends. */
  isDraining(): boolean
}

/** @internal */
export const workerActor: CallbackActorLogic<WorkerEvent, ThreadInput> = fromCallback<WorkerEvent, ThreadInput>(
  ({ input: { spec, status, isDraining }, sendBack, receive }) => {
    const { heartbeat: limit } = spec.supervision
    status.lifecycle = status.thread = status.exitCode = undefined
    const heartbeat = (status.heartbeat = limit === false ? undefined : createHeartbeat(limit))
    let thread: ThreadHandle
    try {
      thread = status.thread = spec.spawn(heartbeat)
    } catch (cause) {
      // A worker that cannot be created is reported as one that exited with an error.
      const error = receiveError(reportError(cause), `${spec.name} could not be started`)
      queueMicrotask(() => sendBack({ type: 'thread.exited', error, isCharged: false }))
      return undefined
    }
    const stopWatching =
      heartbeat &&
      watchCounter(heartbeat.memory, limit as number, () => {
        const message = `${spec.name} blocked its event loop for ${String(limit)} ms`
        sendBack({ type: 'terminate', error: new BusError('Timeout', message) })
      })
    let failure: Error | undefined
    /** The uncaught error, if that is why the thread exits. */
    let crash: { error: unknown } | undefined
    let killed = false
    let isStopping = false
    let isDisconnected = false
    let explained: Promise<void> | undefined
    const explaining = new AbortController()
    const fail = (error: Error, thrown: unknown = error): void => {
      if (failure) return
      failure = error
      isDisconnected = spec.endsWithItsCalls === true && isDisconnection(thrown)
      explained = spec.explainError?.(error, explaining.signal)
    }
    thread.on('message', report => {
      if (!isStateReport(report)) return spec.onReport(report)
      // A worker without a sandbox can report anything.
      status.lifecycle = LIFECYCLE_STATES.includes(report.state) ? report.state : undefined
      spec.onState(report.state)
      if (report.state === 'ready') sendBack({ type: 'thread.ready' })
      if (report.state === 'failed') fail(receiveError(report.error, `${spec.name} failed`))
    })
    thread.on('error', error => {
      const isOutOfMemory = (error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
      if (isOutOfMemory) return fail(new BusError('InternalError', `${spec.name} ran out of memory`))
      if (!failure) crash = { error }
      fail(receiveError(reportError(error), `${spec.name} failed`), error)
    })
    thread.on('exit', code => {
      if (status.thread === thread) {
        status.thread = undefined
        status.exitCode = code
      }
      if (isDisconnected && (isStopping || isDraining())) failure = undefined
      else if (code !== 0 && !killed) failure ??= new BusError('InternalError', `${spec.name} exited with code ${code}`)
      stopWatching?.()
      // Node delivers all of the thread's messages before its exit.
      const isCharged = crash !== undefined && spec.chargeExit?.(crash.error) === true
      const reportExit = (): void => sendBack({ type: 'thread.exited', error: failure, isCharged })
      if (explained) void explained.then(reportExit, reportExit)
      else reportExit()
    })
    receive(event => {
      if (event.type !== 'post') explaining.abort()
      if (event.type === 'post') post(thread, event)
      else if (event.type === 'stop') {
        isStopping = true
        thread.postMessage({ type: 'stop', timeout: event.timeout })
      } else if (event.type === 'kill') {
        killed = true
        void thread.terminate()
      }
    })
    return () => {
      explaining.abort()
      stopWatching?.()
      // A thread stuck in native code must not keep the process alive.
      thread.unref()
      void thread.terminate()
    }
  },
)

/** Ignores a port that closed meanwhile because the thread at its other end exited: another port will follow. */
function post(thread: ThreadHandle, { message, transfer }: Extract<WorkerEvent, { type: 'post' }>): void {
  try {
    thread.postMessage(message, transfer)
  } catch (error) {
    if ((error as Error).name !== 'DataCloneError' || transfer.length === 0) throw error
  }
}

/** Node does not keep the class of an error that ends a thread, but its properties. A frontend can forge them, and hides its own fault. */
const isDisconnection = (thrown: unknown): boolean =>
  (thrown as { reason?: unknown } | null | undefined)?.reason === ('Disconnected' satisfies BusErrorReason)

const isStateReport = (report: unknown): report is StateReport =>
  typeof report === 'object' && report !== null && (report as { type?: unknown }).type === 'state'
