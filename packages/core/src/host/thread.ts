// A worker thread as a callback actor, which lives as long as the worker does. Only its state and its end go up as events.
import { BusError, receiveError, reportError, type StateReport } from '@sallyport/protocol'
import type { LifeState } from '@sallyport/protocol/actor'
import type { TransferListItem, Worker } from 'node:worker_threads'
import { fromCallback, type CallbackActorLogic } from 'xstate'

export interface ThreadSpec {
  /** `core`, `frontend main`, `gate of main`: for texts and the log. */
  name: string
  spawn(): Worker
  /** How long it may take beyond its time to drain, in milliseconds, before it is ended from outside. */
  grace?: number
  /** What the worker says beside its own state. It is not trusted. */
  onReport(report: unknown): void
  onState(state: LifeState): void
}

export interface ThreadExit {
  /** What went wrong; `undefined` where the thread ended as it should. */
  error: Error | undefined
}

export type ThreadEvent =
  | { type: 'thread.ready' }
  | { type: 'thread.exited'; error: Error | undefined }
  | { type: 'post'; message: unknown; transfer: readonly TransferListItem[] }
  | { type: 'stop'; timeout: number }
  | { type: 'kill' }
  | { type: 'end'; error: Error }

export const thread: CallbackActorLogic<ThreadEvent, ThreadSpec> = fromCallback<ThreadEvent, ThreadSpec>(
  ({ input, sendBack, receive }) => {
    const worker = spawn(input, error => sendBack({ type: 'thread.exited', error }))
    if (!worker) return undefined
    let failure: Error | undefined
    let killed = false
    worker.on('message', (report: unknown) => {
      if (!isStateReport(report)) return input.onReport(report)
      input.onState(report.state)
      if (report.state === 'ready') sendBack({ type: 'thread.ready' })
      if (report.state === 'failed') failure ??= receiveError(report.error, `${input.name} failed`)
    })
    worker.on('error', (error: unknown) => {
      failure ??= isOutOfMemory(error)
        ? new BusError('InternalError', `${input.name} has used up its memory`)
        : receiveError(reportError(error), `${input.name} failed`)
    })
    worker.on('exit', code => {
      if (code !== 0 && !killed) failure ??= new BusError('InternalError', `${input.name} exited with code ${code}`)
      sendBack({ type: 'thread.exited', error: failure })
    })
    receive(event => {
      if (event.type === 'post') worker.postMessage(event.message, event.transfer)
      else if (event.type === 'stop') worker.postMessage({ type: 'stop', timeout: event.timeout })
      else if (event.type === 'kill') {
        killed = true
        void worker.terminate()
      }
    })
    return () => void worker.terminate()
  },
)

/** A worker that can't even be made has ended with an error, like any other that fails. */
function spawn({ spawn: make }: ThreadSpec, failed: (error: Error) => void): Worker | undefined {
  try {
    return make()
  } catch (error) {
    queueMicrotask(() => failed(receiveError(reportError(error), 'A worker can’t be started')))
    return undefined
  }
}

const isOutOfMemory = (error: unknown): boolean =>
  (error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY'

const isStateReport = (report: unknown): report is StateReport =>
  typeof report === 'object' && report !== null && (report as { type?: unknown }).type === 'state'
