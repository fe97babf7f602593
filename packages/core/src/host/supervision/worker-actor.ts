// A worker thread as a callback actor, which lives as long as the thread does. Only its state and its end go up as events.
import type { TransferListItem } from 'node:worker_threads'
import {
  BusError,
  createHeartbeat,
  type Heartbeat,
  receiveError,
  reportError,
  type StateReport,
} from '@sallyport/protocol'
import type { LifecycleState } from '@sallyport/protocol/actor'
import { type CallbackActorLogic, fromCallback } from 'xstate'
import type { Supervision } from './policy.js'
import { watchHeartbeat } from './watchdog.js'

/** What of a `Worker` is used here: core may also run in the host's own thread. */
export interface ThreadHandle {
  postMessage(message: unknown, transfer?: readonly TransferListItem[]): void
  on(event: 'message' | 'error', heard: (given: unknown) => void): unknown
  on(event: 'exit', heard: (code: number) => void): unknown
  terminate(): Promise<unknown>
  unref(): void
}

export interface ThreadSpec {
  /** `core`, `frontend main`, `gate of main`: for texts and the log. */
  name: string
  supervision: Supervision
  /** Each time that it is started. */
  spawn(heartbeat: Heartbeat | undefined): ThreadHandle
  /**
   * How long it may take beyond its time to drain, in milliseconds, before it is ended from outside. One that has a time of its
   * own is always asked first.
   */
  grace?: number
  /** In development: where it has ended with an error, it is not started again before somebody asks for it. */
  waits?: boolean
  /** Adds to an error what helps in development. The thread's exit is reported afterwards, or once the signal aborts. */
  explain?(error: Error, signal: AbortSignal): Promise<void>
  /** It waits for no other thread before it is ready: one that is started again and takes far too long is ended. */
  startsAlone?: boolean
  /** What the worker says beside its own state. It is not trusted. */
  onReport(report: unknown): void
  onState(state: LifecycleState): void
  /** Another thread has been started in place of one that has ended. */
  onUp(): void
  /** The thread has ended, and another will be started: `undefined` where that was asked for. Where none is, `exited` tells. */
  onDown(restart: Restart | undefined): void
  /** It was to stop, did not in its time, and is ended from outside. */
  onUnended(): void
}

export interface Restart {
  error: Error
  /** This one too. */
  restarts: number
  /** In milliseconds. `undefined`: it waits until somebody asks for it. */
  delay: number | undefined
}

export interface ThreadExit {
  /** Why no other is started; `undefined` where the thread ended as it should. */
  error: Error | undefined
  /** What went wrong in it at last; `undefined` where it was ended for what went wrong elsewhere. */
  death: Error | undefined
}

export type ThreadEvent =
  | { type: 'thread.ready' }
  | { type: 'thread.exited'; error: Error | undefined }
  | { type: 'post'; message: unknown; transfer: readonly TransferListItem[] }
  | { type: 'stop'; timeout: number }
  | { type: 'kill' }
  | { type: 'end'; error: Error }
  | { type: 'dismiss'; error: Error }
  | { type: 'reload' }
  | { type: 'fail'; error: Error }

/** @internal */
export const thread: CallbackActorLogic<ThreadEvent, ThreadSpec> = fromCallback<ThreadEvent, ThreadSpec>(
  ({ input, sendBack, receive }) => {
    const { heartbeat: limit } = input.supervision
    const heartbeat = limit === false ? undefined : createHeartbeat(limit)
    const worker = spawn(input, heartbeat, error => sendBack({ type: 'thread.exited', error }))
    if (!worker) return undefined
    const stopWatching =
      heartbeat &&
      watchHeartbeat(heartbeat.memory, limit as number, () => {
        const problem = `${input.name} has done nothing but compute for ${String(limit)} ms`
        sendBack({ type: 'end', error: new BusError('Timeout', problem) })
      })
    let failure: Error | undefined
    let killed = false
    let explained: Promise<void> | undefined
    const explaining = new AbortController()
    const fail = (error: Error): void => {
      if (failure) return
      failure = error
      explained = input.explain?.(error, explaining.signal)
    }
    worker.on('message', (report: unknown) => {
      if (!isStateReport(report)) return input.onReport(report)
      input.onState(report.state)
      if (report.state === 'ready') sendBack({ type: 'thread.ready' })
      if (report.state === 'failed') fail(receiveError(report.error, `${input.name} failed`))
    })
    worker.on('error', (error: unknown) => {
      fail(
        isOutOfMemory(error)
          ? new BusError('InternalError', `${input.name} has used up its memory`)
          : receiveError(reportError(error), `${input.name} failed`),
      )
    })
    worker.on('exit', code => {
      if (code !== 0 && !killed) failure ??= new BusError('InternalError', `${input.name} exited with code ${code}`)
      stopWatching?.()
      const report = (): void => sendBack({ type: 'thread.exited', error: failure })
      if (explained) void explained.then(report, report)
      else report()
    })
    receive(event => {
      if (event.type !== 'post') explaining.abort()
      if (event.type === 'post') post(worker, event)
      else if (event.type === 'stop') worker.postMessage({ type: 'stop', timeout: event.timeout })
      else if (event.type === 'kill') {
        killed = true
        void worker.terminate()
      }
    })
    return () => {
      explaining.abort()
      stopWatching?.()
      // What native code keeps from ending keeps no process alive.
      worker.unref()
      void worker.terminate()
    }
  },
)

/** A worker that can't even be made has ended with an error, like any other that fails. */
function spawn(
  { spawn: make }: ThreadSpec,
  heartbeat: Heartbeat | undefined,
  failed: (error: Error) => void,
): ThreadHandle | undefined {
  try {
    return make(heartbeat)
  } catch (error) {
    queueMicrotask(() => failed(receiveError(reportError(error), 'A worker can’t be started')))
    return undefined
  }
}

/** A port that was to go with it may have closed, as the thread at its other end has ended: there will be another one. */
function post(worker: ThreadHandle, { message, transfer }: Extract<ThreadEvent, { type: 'post' }>): void {
  try {
    worker.postMessage(message, transfer)
  } catch (error) {
    if ((error as Error).name !== 'DataCloneError' || transfer.length === 0) throw error
  }
}

const isOutOfMemory = (error: unknown): boolean =>
  (error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY'

const isStateReport = (report: unknown): report is StateReport =>
  typeof report === 'object' && report !== null && (report as { type?: unknown }).type === 'state'
