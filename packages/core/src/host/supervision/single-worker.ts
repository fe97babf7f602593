// The supervision of a worker that never restarts, that of a run in a thread: `worker-machine.ts` without its restarts, reloads and spares. A
// short run takes less time than an xstate actor (docs/adr/0039-scripts-in-quickjs.md).
import { BusError } from '@sallyport/protocol/internal/errors'
import { createDeferred } from '@sallyport/protocol/internal/util'
import type { TransferListItem } from '@sallyport/protocol/internal/link'
import { judge, type Obituary } from './judge.js'
import type { WorkerState, WorkerStats } from './policy.js'
import {
  askThread,
  createStoppedError,
  postToThread,
  type SupervisedWorker,
  superviseThread,
  type ThreadCommand,
  type ThreadInput,
  type WorkerEvent,
  type WorkerExit,
} from './worker-actor.js'
import { setDeadline } from '../../shared/set-deadline.js'
import { ABANDON_TIMEOUT_MS, createAbandonedError, STOP_TIMEOUT_MS } from './worker-machine.js'

/** Time for a thread to end that need not be asked, before it is asked. */
const ASK_TIMEOUT_MS = 50

type SingleState = Extract<WorkerState, 'starting' | 'running' | 'leaving' | 'draining' | 'stopped' | 'failed'>

export class SingleWorker implements SupervisedWorker {
  readonly ready: Promise<void>
  readonly exited: Promise<WorkerExit>
  readonly input: ThreadInput
  readonly #ready = createDeferred()
  readonly #exited = createDeferred<WorkerExit>()
  readonly #stopTimeout: number
  /** End the deadlines of the current state. */
  readonly #deadlines: (() => void)[] = []
  readonly #release: () => void
  #sendToThread: (command: ThreadCommand) => void = () => {}
  #state: SingleState = 'starting'
  #isReady = false
  #isKilled = false
  /** Why a worker that is `leaving` was dismissed, unless its thread says more. */
  #sentence: Error | undefined

  constructor(input: ThreadInput, onExit: (worker: SingleWorker) => void) {
    this.input = input
    this.ready = this.#ready.promise
    this.exited = this.#exited.promise
    this.ready.catch(() => {})
    const { stopTimeout = STOP_TIMEOUT_MS } = input.spec
    this.#stopTimeout = stopTimeout
    const release = superviseThread({
      input,
      sendBack: event => this.#handle(event),
      receive: handle => void (this.#sendToThread = handle),
    })
    this.#release = () => {
      release?.()
      onExit(this)
    }
  }

  get stats(): WorkerStats {
    return { state: this.#state, restarts: 0 }
  }

  get isUp(): boolean {
    const takesMessages = this.#state === 'starting' || this.#state === 'running'
    return takesMessages && this.input.status.thread !== undefined
  }

  get isAlive(): boolean {
    return this.#state !== 'stopped' && this.#state !== 'failed'
  }

  post(message: unknown, transfer?: readonly TransferListItem[]): void {
    if (this.isAlive) postToThread(this.input.status, message, transfer)
  }

  ask(onAnswer: () => void): void {
    askThread(this.input.status, onAnswer)
  }

  stop(timeout: number, endsItself = false): Promise<WorkerExit> {
    this.#handle({ type: 'stop', timeout, endsItself })
    return this.exited
  }

  terminate(error: Error): void {
    this.#handle({ type: 'terminate', error })
  }

  dismiss(error: Error): void {
    this.#handle({ type: 'dismiss', error })
  }

  fail(error: Error): void {
    this.#handle({ type: 'fail', error })
  }

  /** A run cannot begin again. */
  async reload(): Promise<never> {
    const error = new BusError('Disconnected', `${this.input.spec.name} lost its link, and a run does not restart`)
    this.dismiss(error)
    throw error
  }

  #handle(event: WorkerEvent): void {
    const state = this.#state
    if (!this.isAlive) return
    switch (event.type) {
      case 'thread.ready':
        if (state !== 'starting') return
        this.#state = 'running'
        this.#isReady = true
        return this.#ready.resolve()
      case 'thread.exited':
        return this.#threadExited(event.obituary)
      case 'thread.silent':
        if (state === 'leaving') this.#end(this.#sentence)
        else if (state === 'draining' && !this.#isKilled) this.#kill()
        return
      case 'terminate':
        return this.#terminate(event.error)
      case 'dismiss':
        if (state === 'running' || state === 'starting') this.#startLeaving(event.error)
        return
      case 'fail':
        return this.#end(event.error, undefined)
      case 'stop':
        if (state !== 'draining') this.#drain(event.timeout, event.endsItself)
        return
      default:
    }
  }

  #threadExited(obituary: Obituary): void {
    const { name } = this.input.spec
    if (this.#state === 'draining') return this.#end(obituary.error)
    this.#end(judge(obituary, { name, sentence: this.#sentence, isPermanent: false }))
  }

  /** The thread does not respond. */
  #terminate(error: Error): void {
    const isAskedFirst = this.input.spec.stopTimeout !== undefined
    if (this.#state === 'leaving' || (isAskedFirst && this.#state === 'draining')) return
    if (isAskedFirst) this.#startLeaving(error)
    else this.#end(error)
  }

  #startLeaving(error: Error): void {
    this.#state = 'leaving'
    this.#sentence = error
    this.#sendToThread({ type: 'stop', timeout: 0 })
    this.#deadlines.push(setDeadline(this.#stopTimeout, () => this.#end(error)))
  }

  #drain(timeout: number, endsItself: boolean | undefined): void {
    this.#endDeadlines()
    this.#state = 'draining'
    this.#deadlines.push(setDeadline(timeout + this.#stopTimeout, () => this.#kill()))
    this.#sendToThread({ type: 'stop', timeout, endsItself })
    const ask = (): void => this.#sendToThread({ type: 'stop', timeout })
    if (endsItself) this.#deadlines.push(setDeadline(ASK_TIMEOUT_MS, ask))
  }

  #kill(): void {
    this.#endDeadlines()
    this.#isKilled = true
    this.#sendToThread({ type: 'kill' })
    this.input.spec.onKilled()
    const abandon = (): void => this.#end(createAbandonedError(this.input.spec))
    this.#deadlines.push(setDeadline(ABANDON_TIMEOUT_MS, abandon))
  }

  #end(error: Error | undefined, exitError = error): void {
    this.#endDeadlines()
    this.#state = error ? 'failed' : 'stopped'
    const code = this.input.status.exitCode
    this.#release()
    if (!this.#isReady) this.#ready.reject(error ?? createStoppedError())
    this.#exited.resolve({ error, exitError, code })
  }

  #endDeadlines(): void {
    for (const end of this.#deadlines.splice(0)) end()
  }
}
