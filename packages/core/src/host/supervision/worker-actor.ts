// One worker thread as an xstate callback actor, which lives exactly as long. Only the thread's readiness and its exit go up as events.
import { createHeartbeat, LIFECYCLE_STATES, watchSilence } from '@sallyport/protocol/internal/contract'
import { BusError, receiveError, reportError } from '@sallyport/protocol/internal/errors'
import { assertNever, queueMicrotask, withoutContext } from '@sallyport/protocol/internal/util'
import type { Heartbeat, LifecycleState, Question, StateReport } from '@sallyport/protocol/internal/contract'
import type { BusErrorReason } from '@sallyport/protocol/internal/errors'
import type { TransferListItem } from '@sallyport/protocol/internal/link'
import { type CallbackActorLogic, fromCallback } from 'xstate'
import type { SupervisionConfig, WorkerStats } from './policy.js'
import type { ProcessSockets } from '../../shared/process-sockets.js'
import { NeighborFault, type Obituary } from './judge.js'
import { createRunningTime, type RunningThread } from './running-time.js'
import { awaitBeats, watchCounter } from './watchdog.js'
import type { UsageSource } from '../../shared/worker-usage.js'

/** The part of a Node `Worker` that supervision uses. Core in the host's own thread implements it too. */
export interface ThreadHandle extends UsageSource, RunningThread {
  postMessage(message: unknown, transfer?: readonly TransferListItem[]): void
  on(event: 'message' | 'error', listener: (value: unknown) => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
  terminate(): Promise<unknown>
  unref(): void
  /** The sockets of its process, if it has one and its relay forwards no frames. */
  readonly sockets?: ProcessSockets | undefined
  /** What reports the hosts that its broker denies, if it has a broker and no relay. */
  readonly broker?: { on(event: 'message', listener: (report: unknown) => void): unknown } | undefined
  /** True if it was started before it was known whose it is. */
  readonly wasStartedAhead?: boolean | undefined
  /** Returns the error of a thread whose heartbeat has stopped, if another worker can be to blame. */
  explainBlock?(error: Error): Error
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
  /** In development: can add an explanation to an error. The exit is reported afterwards, or as soon as the signal aborts. */
  explainError?(error: Error, signal: AbortSignal): Promise<void> | undefined
  /** True if an uncaught `Disconnected` is expected while the worker or the bus ends: the worker has calls that end then. */
  endsWithItsCalls?: boolean
  /** True for a worker that neither restarts nor is replaced: it takes less to supervise. */
  isSingle?: boolean
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
  /** Called once a thread has ended, before what follows from it. */
  onEnded?(obituary: Obituary): void
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

/** A worker as the host sees it: a sequence of threads. */
export interface SupervisedWorker {
  readonly stats: WorkerStats
  /** True while there is a thread that takes messages. */
  readonly isUp: boolean
  /** Rejects if the first thread exits before it is ready: a first start is not retried. */
  readonly ready: Promise<void>
  /** Resolves when no other thread follows. Never rejects. */
  readonly exited: Promise<WorkerExit>
  /** Sends a message to the current thread. Ignored if there is no thread. */
  post(message: unknown, transfer?: readonly TransferListItem[]): void
  /** Asks the thread whether it runs. Its answer follows all that it has reported before. A thread that has ended does not answer. */
  ask(onAnswer: () => void): void
  /**
   * Asks the thread to drain for at most `timeout` milliseconds, then terminates it. Resolves once it exited or was abandoned.
   *
   * @param endsItself - true for a thread that need not be asked. It can be asked nevertheless
   */
  stop(timeout: number, endsItself?: boolean): Promise<WorkerExit>
  /** Terminates the thread with this error. The thread counts as exited immediately, and the worker can restart. */
  terminate(error: Error): void
  /** Like `terminate`, but gives the thread half a second to exit. If it ended by itself meanwhile, its end says more than this error. */
  dismiss(error: Error): void
  /** Like `terminate`, without a restart. */
  fail(error: Error): void
  /** Replaces the thread, which does not count as a restart. Resolves once the new one is ready; rejects with the error that prevented it. */
  reload(): Promise<void>
}

/** What the machine sends to the actor of the thread. */
export type ThreadCommand = { type: 'stop'; timeout: number; endsItself?: boolean | undefined } | { type: 'kill' }

export type WorkerEvent =
  | ThreadCommand
  | { type: 'thread.ready' | 'thread.silent' | 'reload' }
  | { type: 'thread.exited'; obituary: Obituary }
  | { type: 'terminate' | 'dismiss' | 'fail'; error: Error }

/** The input of each of a worker's threads. `status` is shared with the machine: what changes it is not a transition. */
export interface ThreadInput {
  spec: WorkerSpec
  status: {
    lifecycle: LifecycleState | undefined
    thread: ThreadHandle | undefined
    heartbeat: Heartbeat | undefined
    exitCode: number | undefined
    /** What to call at the answers of the thread, in order. */
    questions: (() => void)[]
  }
  /** True once the bus ends. */
  isDraining(): boolean
}

export const createThreadStatus = (): ThreadInput['status'] => ({
  lifecycle: undefined,
  thread: undefined,
  heartbeat: undefined,
  exitCode: undefined,
  questions: [],
})

export const createStoppedError = (): BusError =>
  new BusError('Disconnected', 'The worker was stopped before it was ready')

/** What a thread is supervised with: a callback actor of xstate has the same. */
export interface ThreadSupervision {
  readonly input: ThreadInput
  sendBack(event: WorkerEvent): void
  /** @param handle - called with each command for the thread */
  receive(handle: (command: ThreadCommand) => void): void
}

/** Starts a thread. Returns a function that terminates it and reports nothing more. */
export function superviseThread({
  input: { spec, status, isDraining },
  sendBack,
  receive,
}: ThreadSupervision): (() => void) | undefined {
  const { heartbeat: limit } = spec.supervision
  status.lifecycle = status.thread = status.exitCode = undefined
  status.questions = []
  const heartbeat = (status.heartbeat = limit === false ? undefined : createHeartbeat(limit))
  let thread: ThreadHandle
  try {
    thread = status.thread = withoutContext(() => spec.spawn(heartbeat))
  } catch (cause) {
    // A worker that cannot be created is reported as one that exited with an error.
    const error = receiveError(reportError(cause), `${spec.name} could not be started`)
    const obituary: Obituary = { ranCode: true, wasReady: false, by: 'itself', error }
    queueMicrotask(() => sendBack({ type: 'thread.exited', obituary }))
    return undefined
  }
  const stopWatching =
    heartbeat &&
    watchCounter(heartbeat.memory, limit as number, () => {
      const message = `${spec.name} blocked its event loop for ${String(limit)} ms`
      const own = new BusError('Timeout', message)
      sendBack({ type: 'terminate', error: thread.explainBlock?.(own) ?? own })
    })
  let failure: Error | undefined
  let killed = false
  /** The worker's code has run. The relay of a process reports its failures, too. */
  let hasBegun = false
  let wasReady = false
  let hasAnswered = false
  let isStopping = false
  let isDisconnected = false
  let stopListening: (() => void) | undefined
  let explained: Promise<void> | undefined
  let explaining: AbortController | undefined
  let isExplained = spec.explainError !== undefined
  const stopExplaining = (): void => {
    isExplained = false
    explaining?.abort()
  }
  const fail = (error: Error, thrown: unknown = error): void => {
    if (failure) return
    failure = error
    isDisconnected = spec.endsWithItsCalls === true && isDisconnection(thrown)
    if (isExplained) explained = spec.explainError!(error, (explaining = new AbortController()).signal)
  }
  thread.on('message', report => {
    const type = getType(report)
    if (type === 'answer') return status.questions.shift()?.()
    if (type !== 'state') return spec.onReport(report)
    takeState(report as StateReport)
  })
  const takeState = (report: StateReport): void => {
    // A worker without a sandbox can report anything.
    hasBegun ||= report.state !== 'failed'
    hasAnswered ||= report.state === 'draining' || report.state === 'stopped'
    status.lifecycle = LIFECYCLE_STATES.includes(report.state) ? report.state : undefined
    spec.onState(report.state)
    if (report.state === 'ready') {
      wasReady = true
      sendBack({ type: 'thread.ready' })
    }
    if (report.state === 'failed') fail(receiveError(report.error, `${spec.name} failed`))
  }
  thread.on('error', error => {
    const isOutOfMemory = (error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
    if (isOutOfMemory) return fail(new BusError('Crashed', `${spec.name} ran out of memory`))
    if (error instanceof NeighborFault) return fail(error)
    fail(receiveError(reportError(error), `${spec.name} failed`), error)
  })
  thread.on('exit', code => {
    const isCurrent = status.thread === thread
    if (isCurrent) {
      status.thread = undefined
      status.exitCode = code
    }
    if (isDisconnected && (isStopping || isDraining())) {
      failure = undefined
      hasAnswered = true
    }
    stopWatching?.()
    stopListening?.()
    // Node delivers all of the thread's messages before its exit.
    const obituary: Obituary = {
      ranCode: thread.wasStartedAhead !== true || hasBegun,
      by: hasAnswered ? 'order' : killed ? 'force' : 'itself',
      ...{ error: failure, code, wasReady },
    }
    if (isCurrent) spec.onEnded?.(obituary)
    const reportExit = (): void => sendBack({ type: 'thread.exited', obituary })
    if (explained) void explained.then(reportExit, reportExit)
    else reportExit()
  })
  const readRunningTime = createRunningTime(thread)
  /** Only a worker that is ready runs code of a frontend. One that was asked to stop answers with its next state. */
  const readRunningMs = (): number | undefined => (status.lifecycle === 'ready' ? readRunningTime() : undefined)
  const reportSilence = (): void => sendBack({ type: 'thread.silent' })
  receive(event => {
    stopExplaining()
    switch (event.type) {
      case 'stop':
        isStopping = true
        stopListening?.()
        if (spec.endsIfSilent) stopListening = watchSilence(event.timeout, readRunningMs, reportSilence)
        if (event.endsItself) return
        return thread.postMessage({ type: 'stop', timeout: event.timeout })
      case 'kill':
        killed = true
        return void thread.terminate()
      default:
        return assertNever(event)
    }
  })
  return () => {
    stopExplaining()
    stopWatching?.()
    stopListening?.()
    // A thread stuck in native code must not keep the process alive.
    thread.unref()
    void thread.terminate()
  }
}

/** @internal */
export const workerActor: CallbackActorLogic<ThreadCommand, ThreadInput> = fromCallback<ThreadCommand, ThreadInput>(
  superviseThread,
)

export function askThread(status: ThreadInput['status'], onAnswer: () => void): void {
  const { thread, heartbeat } = status
  let isOver = false
  const answer = (): void => {
    if (isOver || status.thread !== thread) return
    isOver = true
    onAnswer()
  }
  status.questions.push(answer)
  postToThread(status, { type: 'ask' } satisfies Question)
  // Code without a sandbox can close the port of its answers. Its event loop turns.
  if (heartbeat) awaitBeats(heartbeat, () => isOver || status.thread !== thread, answer)
}

/** Sends a message to the thread, if there is one. Ignores a port that closed meanwhile because the thread at its other end exited: another port will follow. */
export function postToThread(
  { thread }: ThreadInput['status'],
  message: unknown,
  transfer: readonly TransferListItem[] = [],
): void {
  try {
    thread?.postMessage(message, transfer)
  } catch (error) {
    if ((error as Error).name !== 'DataCloneError' || transfer.length === 0) throw error
  }
}

/** Node does not keep the class of an error that ends a thread, but its properties. A frontend can forge them, and hides its own fault. */
const isDisconnection = (thrown: unknown): boolean =>
  (thrown as { reason?: unknown } | null | undefined)?.reason === ('Disconnected' satisfies BusErrorReason)

const getType = (report: unknown): unknown => (report as { type?: unknown } | null | undefined)?.type
