// The author of one thread's end. Its evidence comes in one order: reports, an uncaught error, the exit. Nobody else listens to the thread.
import { createHeartbeat, LIFECYCLE_STATES, watchSilence } from '@sallyport/protocol/internal/contract'
import { BusError, receiveError, reportError } from '@sallyport/protocol/internal/errors'
import { queueMicrotask, withoutContext } from '@sallyport/protocol/internal/util'
import type { Heartbeat, LifecycleState, Question, StateReport } from '@sallyport/protocol/internal/contract'
import type { BusErrorReason } from '@sallyport/protocol/internal/errors'
import type { TransferListItem } from '@sallyport/protocol/internal/link'
import { createRunningTime } from '../supervision/running-time.js'
import { awaitBeats, watchCounter } from '../supervision/watchdog.js'
import { NeighborFault, type Obituary } from './judge.js'
import type { ThreadHandle, WorkerSpec } from './spec.js'

export interface ThreadEvents {
  ready(): void
  /** Its heartbeat has stopped. */
  blocked(error: Error): void
  /** It runs on, and has not taken the order to stop. */
  silent(): void
  /** Nothing follows. */
  ended(obituary: Obituary): void
}

export class ThreadCode {
  lifecycle: LifecycleState | undefined
  /** `undefined` once it has exited. */
  thread: ThreadHandle | undefined
  readonly heartbeat: Heartbeat | undefined
  readonly #spec: WorkerSpec
  readonly #events: ThreadEvents
  readonly #isDraining: () => boolean
  /** What to call at the answers of the thread, in order. */
  readonly #questions: (() => void)[] = []
  readonly #readRunningTime: () => number | undefined = () => undefined
  #stopWatching = (): void => {}
  #stopListening = (): void => {}
  /** Its own words. */
  #error: Error | undefined
  #explained: Promise<void> | undefined
  readonly #explaining = new AbortController()
  /** The worker's code has run. The relay of a process reports its failures, too. */
  #hasBegun = false
  #isStopping = false
  #hasAnswered = false
  #isDisconnected = false
  #isKilled = false
  #isOver = false

  constructor(spec: WorkerSpec, isDraining: () => boolean, events: ThreadEvents) {
    this.#spec = spec
    this.#events = events
    this.#isDraining = isDraining
    const { heartbeat: limit } = spec.supervision
    this.heartbeat = limit === false ? undefined : createHeartbeat(limit)
    try {
      const thread = (this.thread = withoutContext(() => spec.spawn(this.heartbeat)))
      this.#readRunningTime = createRunningTime(thread)
      this.#listen(thread)
    } catch (cause) {
      // A worker that cannot be created is reported as one that exited with an error.
      const error = receiveError(reportError(cause), `${spec.name} could not be started`)
      queueMicrotask(() => this.#end({ ranCode: true, by: 'itself', error }))
    }
  }

  #listen(thread: ThreadHandle): void {
    const { name, supervision, onReport } = this.#spec
    const { heartbeat: limit } = supervision
    if (this.heartbeat && limit !== false) {
      this.#stopWatching = watchCounter(this.heartbeat.memory, limit, () => {
        const own = new BusError('Timeout', `${name} blocked its event loop for ${limit} ms`)
        this.#events.blocked(thread.explainBlock?.(own) ?? own)
      })
    }
    thread.on('message', report => {
      if (this.#isOver) return
      const type = getType(report)
      if (type === 'answer') return this.#questions.shift()?.()
      if (type === 'state') return this.#takeState(report as StateReport)
      onReport(report)
    })
    thread.on('error', error => {
      const isOutOfMemory = (error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
      if (isOutOfMemory) return this.#fail(new BusError('Crashed', `${name} ran out of memory`))
      if (error instanceof NeighborFault) return this.#fail(error)
      this.#fail(receiveError(reportError(error), `${name} failed`), error)
    })
    thread.on('exit', code => this.#exited(code))
  }

  post(message: unknown, transfer: readonly TransferListItem[] = []): void {
    try {
      this.thread?.postMessage(message, transfer)
    } catch (error) {
      // A port that closed meanwhile, because the thread at its other end exited. Another one will follow.
      if ((error as Error).name !== 'DataCloneError' || transfer.length === 0) throw error
    }
  }

  /** Asks the thread whether it runs. Its answer follows all that it has reported before. A thread that has ended does not answer. */
  ask(onAnswer: () => void): void {
    let isOver = false
    const isEnded = (): boolean => isOver || !this.thread
    const answer = (): void => {
      if (isEnded()) return
      isOver = true
      onAnswer()
    }
    this.#questions.push(answer)
    this.post({ type: 'ask' } satisfies Question)
    // Code without a sandbox can close the port of its answers. Its event loop turns.
    if (this.heartbeat) awaitBeats(this.heartbeat, isEnded, answer)
  }

  stop(timeout: number): void {
    this.#explaining.abort()
    this.#isStopping = true
    this.#stopListening()
    const { endsIfSilent } = this.#spec
    if (endsIfSilent) {
      // Only a worker that is ready runs code of a frontend. One that was asked to stop answers with its next state.
      const readRunningMs = (): number | undefined => (this.lifecycle === 'ready' ? this.#readRunningTime() : undefined)
      this.#stopListening = watchSilence(timeout, readRunningMs, () => this.#isOver || this.#events.silent())
    }
    // A script that has answered ends by itself, and is not woken for it.
    if (timeout === 0 || !endsIfSilent || !this.#hasAnswered) this.post({ type: 'stop', timeout })
  }

  kill(): void {
    this.#explaining.abort()
    this.#isKilled = true
    void this.thread?.terminate()
  }

  /** Terminates the thread, and reports nothing more. */
  abandon(): void {
    const { thread } = this
    this.#finish()
    this.kill()
    // A thread stuck in native code must not keep the process alive.
    thread?.unref()
    this.thread = undefined
  }

  #takeState({ state, error }: StateReport): void {
    // A worker without a sandbox can report anything.
    this.#hasBegun ||= state !== 'failed'
    this.#hasAnswered ||= state === 'draining' || state === 'stopped'
    this.lifecycle = LIFECYCLE_STATES.includes(state) ? state : undefined
    this.#spec.onState(state)
    if (state === 'ready') this.#events.ready()
    if (state === 'failed') this.#fail(receiveError(error, `${this.#spec.name} failed`))
  }

  #fail(error: Error, thrown: unknown = error): void {
    if (this.#error || this.#isOver) return
    this.#error = error
    this.#isDisconnected = this.#spec.endsWithItsCalls === true && isDisconnection(thrown)
    const { signal } = this.#explaining
    if (!signal.aborted) this.#explained = this.#spec.explainError?.(error, signal)
  }

  #exited(code: number): void {
    if (this.#isOver) return
    const wasStartedAhead = this.thread?.wasStartedAhead === true
    this.thread = undefined
    this.#stopWatching()
    this.#stopListening()
    const endsWithItsCalls = this.#isDisconnected && (this.#isStopping || this.#isDraining())
    const by = this.#hasAnswered || endsWithItsCalls ? 'order' : this.#isKilled ? 'force' : 'itself'
    const error = endsWithItsCalls ? undefined : this.#error
    const ranCode = !wasStartedAhead || this.#hasBegun
    // The code of a thread that is terminated is nobody's word.
    const obituary: Obituary = { ranCode, by, error, code: by === 'force' ? undefined : code }
    const end = (): void => this.#end(obituary)
    if (this.#explained) void this.#explained.then(end, end)
    else end()
  }

  #end(obituary: Obituary): void {
    if (this.#isOver) return
    this.#finish()
    this.#events.ended(obituary)
  }

  #finish(): void {
    this.#isOver = true
    this.#stopWatching()
    this.#stopListening()
  }
}

/** Node does not keep the class of an error that ends a thread, but its properties. A frontend can forge them, and hides its own fault. */
const isDisconnection = (thrown: unknown): boolean =>
  (thrown as { reason?: unknown } | null | undefined)?.reason === ('Disconnected' satisfies BusErrorReason)

const getType = (report: unknown): unknown => (report as { type?: unknown } | null | undefined)?.type
