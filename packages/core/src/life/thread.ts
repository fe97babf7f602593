// The threads of a worker: what the host says of the worker (`WorkerSpec`), and the author of the end of each thread (`ThreadCode`). Its evidence
// comes in one order: reports, an uncaught error, the exit. Nobody else judges by it.
import type { RelaySockets } from '@sallyport/process/internal'
import {
  ABANDON_TIMEOUT_MS,
  type Answer,
  countTurns,
  createHeartbeat,
  type Heartbeat,
  type LifecycleState,
  patience,
  type Peer,
  type Question,
  silence,
  SILENT_MS,
  type StateReport,
} from '@sallyport/protocol/internal/contract'
import {
  BusError,
  type BusErrorReason,
  createUnsentError,
  describeThrown,
  nameUnsent,
  isBusError,
  isUnsentError,
  receiveError,
  reportError,
} from '@sallyport/protocol/internal/errors'
import type { TransferListItem } from '@sallyport/protocol/internal/link'
import { queueMicrotask, withoutContext } from '@sallyport/protocol/internal/util'
import { MAX_STOP_ROUNDS } from '@sallyport/protocol/internal/wire'
import type { UsageSource } from '../shared/heap-limit.js'
import type { SupervisionConfig } from './policy.js'
import { createEnd, type Effects, type LifeEvent, type LifeInput, NeighborFault, type Obituary } from './judge.js'
import { awaitBeats, createRunningTime, type RunningThread, watchCounter } from './watchdog.js'

/** Time for code that was asked to stop to do so, beyond its time to drain: of its running time, or of turns in which nothing of what it has sent is taken. */
const STOP_TIMEOUT_MS = 500

/** Of the event loops of code, its gate and core, in which code that drains ends. */
const TURNS = 8

export class ThreadCode {
  /** `undefined` once it has exited. */
  thread: ThreadHandle | undefined
  readonly heartbeat: Heartbeat | undefined
  readonly #spec: WorkerSpec
  readonly #send: (event: LifeEvent) => void
  readonly #isDraining: () => boolean
  /** What to call at the answers of the thread, in order, or at its end. */
  readonly #questions: { answer(): void; end(): void }[] = []
  /** What its last answer said. */
  queued: unknown
  #answers = 0
  #stopWatching = (): void => {}
  #error: Error | undefined
  #explained: Promise<void> | undefined
  readonly #explaining = new AbortController()
  /** The worker's code has run. The relay of a process reports its failures, too. */
  #hasBegun = false
  #isReady = false
  #isStopping = false
  /** What core had taken when the code was asked to stop. */
  #takenBefore: unknown
  /** Its relay has ended it before it answered the order to stop. */
  #isUnanswered = false
  #hasAnswered = false
  /** Code of a frontend sends what waits. */
  #isClosingLink = false
  #isDisconnected = false
  #isKilled = false
  #isOver = false

  constructor(spec: WorkerSpec, isDraining: () => boolean, send: (event: LifeEvent) => void) {
    this.#spec = spec
    this.#send = send
    this.#isDraining = isDraining
    const { heartbeat: limit } = spec.supervision
    this.heartbeat = limit === false ? undefined : createHeartbeat(limit)
    try {
      const thread = (this.thread = withoutContext(() => spec.spawn(this.heartbeat)))
      this.#listen(thread)
    } catch (cause) {
      // A worker that cannot be created is reported as one that exited with an error.
      const isOwn = isBusError(cause)
      const error = isOwn ? cause : createEnd(spec.name, 'Crashed', `could not be started: ${describeThrown(cause)}`)
      queueMicrotask(() => this.#end({ ranCode: true, by: 'itself', error }))
    }
  }

  #listen(thread: ThreadHandle): void {
    const { name, supervision, isRelayed, onReport } = this.#spec
    const { heartbeat: limit } = supervision
    if (this.heartbeat && limit) {
      const onStuck = (): void => {
        const own = createEnd(name, 'Timeout', `blocked its event loop for ${limit} ms`)
        this.#send({ type: 'SENTENCE', error: thread.explainBlock?.(own) ?? own, isBlocked: isRelayed !== true })
      }
      this.#stopWatching = watchCounter(this.heartbeat.memory, limit, onStuck, thread)
    }
    thread.on('message', report => {
      if (this.#isOver) return
      const { type }: { type?: unknown } = Object(report)
      if (type === 'answer') {
        this.queued = (report as Answer).queued
        return this.#questions.shift()?.answer()
      }
      if (type === 'state') return this.#takeState(report as StateReport)
      onReport(report)
    })
    thread.on('error', error => {
      // Only the first counts, and each would take a stack.
      if (this.#error || this.#isOver) return
      const isOutOfMemory = (error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
      if (isOutOfMemory) return this.#fail(createEnd(name, 'Crashed', 'ran out of memory'))
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
  ask(onAnswer: () => void, onEnd = (): void => {}): void {
    let isOver = false
    const isEnded = (): boolean => isOver || !this.thread
    const answer = (): void => {
      if (isEnded()) return
      isOver = true
      this.#answers++
      onAnswer()
    }
    if (!this.thread) return onEnd()
    this.#questions.push({ answer, end: () => isOver || onEnd() })
    this.post({ type: 'ask' } satisfies Question)
    // Code without a sandbox can close the port of its answers. Its event loop turns.
    if (this.heartbeat) awaitBeats(this.heartbeat, isEnded, answer)
  }

  stop(timeout: number): void {
    this.#explaining.abort()
    if (!this.#isStopping) this.#takenBefore = this.#spec.readTaken?.()
    this.#isStopping = true
    // A script that has answered ends by itself, and is not woken for it.
    if (timeout === 0 || !this.#spec.endsIfSilent || !this.#hasAnswered) this.post({ type: 'stop', timeout })
  }

  /**
   * Calls `onSilent` once code that was asked to stop does not: it runs on, or its event loop turns, and nobody takes any more of what it has sent. A core
   * or a gate that is busy has not had the chance to take it. Returns a function that stops watching.
   */
  awaitEnd(onSilent: () => void): () => void {
    const { thread } = this
    if (!thread) return () => {}
    const { endsIfSilent, taker, readTaken } = this.#spec
    const [readReadyMs, readMs] = [createRunningTime(thread), createRunningTime(thread)]
    const ends: (() => void)[] = []
    const silent = (): void => {
      for (const end of ends) end()
      onSilent()
    }
    // Only a worker that is ready runs code of a frontend. One that was asked to stop answers with its next state.
    const ready = { readMs: (turn: number) => (this.#isReady ? readReadyMs(turn) : undefined) }
    if (endsIfSilent) ends.push(silence(SILENT_MS, ready, silent))
    ends.push(silence(STOP_TIMEOUT_MS, { readMs, readSign: () => this.#answers }, silent))
    const askAll = (onAnswer: () => void): void => this.ask(() => (taker ? taker.ask(onAnswer, onAnswer) : onAnswer()))
    // To end takes some turns of each event loop, and others can run in each of them.
    const askOften = (onAnswer: () => void, left = TURNS): void =>
      askAll(() => (left > 1 ? askOften(onAnswer, left - 1) : onAnswer()))
    // Of a frame that is long, only what has left shows that it gets on.
    const readProgress = (): unknown => {
      const taken = readTaken?.()
      return typeof taken === 'object' ? taken : `${String(taken)} ${String(this.queued)}`
    }
    const asked = { ask: (onAnswer: () => void) => askOften(onAnswer) }
    ends.push(patience(asked, STOP_TIMEOUT_MS, silent, readProgress, MAX_STOP_ROUNDS))
    return () => {
      for (const end of ends) end()
    }
  }

  /** Calls `onStuck` once the thread has not ended, though it could. Returns a function that stops watching. */
  awaitKill(onStuck: () => void): () => void {
    const { thread } = this
    return silence(ABANDON_TIMEOUT_MS, { readMs: countTurns(() => thread?.isHeld === true) }, onStuck)
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

  #takeState({ state, error, isUnanswered }: StateReport): void {
    // A worker without a sandbox can report anything.
    this.#hasBegun ||= state !== 'failed'
    this.#hasAnswered ||= state === 'draining' || state === 'stopped'
    this.#isUnanswered = isUnanswered === true
    this.#isReady = state === 'ready'
    this.#isClosingLink = state === 'draining' && this.#spec.taker !== undefined
    this.#spec.onState(state)
    if (state === 'ready') this.#send({ type: 'READY' })
    if (state === 'failed' && !this.#error) this.#fail(receiveError(error, `${this.#spec.name} failed`))
  }

  #fail(error: Error, thrown: unknown = error): void {
    if (this.#error || this.#isOver) return
    // Code can throw because the host terminates it, which says nothing about the code.
    if (this.#isKilled && !isUnsentError(error)) return
    const hasNoDirectory = !this.#hasBegun && /\buv_cwd\b/.test(error.message)
    const named = nameUnsent(error, this.#spec.name)
    this.#error = hasNoDirectory ? explainDirectory(this.#spec.name, error) : named
    this.#isDisconnected = isDisconnection(thrown)
    const { signal } = this.#explaining
    if (!signal.aborted) this.#explained = this.#spec.explainError?.(error, signal)
  }

  #exited(code: number): void {
    if (this.#isOver) return
    const wasStartedAhead = this.thread?.wasStartedAhead === true
    this.thread = undefined
    this.#stopWatching()
    // A call of it that the end of the code or of the bus has cut off can reject without a handler.
    const endsWithItsCalls = this.#isDisconnected && (this.#isStopping || this.#isDraining())
    const by = this.#hasAnswered || endsWithItsCalls ? 'order' : this.#isKilled ? 'force' : 'itself'
    const unsent = this.#isCutOff() ? createUnsentError('unknown', this.#spec.name) : undefined
    const error = endsWithItsCalls ? undefined : (this.#error ?? unsent)
    const ranCode = !wasStartedAhead || this.#hasBegun
    // A thread that the host terminates has not chosen its exit code.
    const obituary: Obituary = { ranCode, by, error, code: by === 'force' ? undefined : code }
    const end = (): void => this.#end(obituary)
    if (this.#explained) void this.#explained.then(end, end)
    else end()
  }

  /** True if it was ended before it said that all has left, or while core still took what it sent, and it had not answered the order to stop. */
  #isCutOff(): boolean {
    if (this.#isClosingLink) return this.#isKilled && this.queued !== 0
    const isUnheard = this.#isUnanswered || (this.#isKilled && !this.#hasAnswered)
    return this.#isStopping && isUnheard && this.#spec.readTaken?.() !== this.#takenBefore
  }

  #end(obituary: Obituary): void {
    if (this.#isOver) return
    this.#finish()
    this.#send({ type: 'OBITUARY', obituary })
  }

  #finish(): void {
    this.#isOver = true
    this.#stopWatching()
    for (const { end } of this.#questions.splice(0)) end()
  }
}

/** Node starts no thread, and no process, while the working directory of the host does not exist. */
function explainDirectory(name: string, cause: Error): BusError {
  const remedy = 'Call process.chdir with a directory that exists, or start the host again'
  return new BusError('Crashed', `${name} could not be started: the host's working directory was removed. ${remedy}`, {
    cause,
  })
}

/** Node does not keep the class of an error that ends a thread, but its properties. A frontend can forge them, and hides its own fault. */
const isDisconnection = (thrown: unknown): boolean =>
  (thrown as { reason?: unknown } | null | undefined)?.reason === ('Disconnected' satisfies BusErrorReason)

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
  /** The name of the worker whose code it runs now, if several share it; `unknown` if it does not say that. */
  readonly runs?: string | undefined
  /** Returns the error of a thread whose heartbeat has stopped, if another worker can be to blame. */
  explainBlock?(error: Error): Error
}

/** What the supervisor of a host gives each of its workers. */
export type WorkerDeps = Pick<LifeInput, 'now' | 'random' | 'isDraining'> & {
  /** Calls `run` after `ms` milliseconds, and what has arrived meanwhile first. Returns a function that ends this. */
  after(ms: number, run: () => void): () => void
}

/** What the life of a frontend has in addition to that of its code. */
export interface FrontendTerms
  extends Pick<LifeInput, 'isIsolated' | 'nextLink' | 'hasServed'>, Required<Pick<WorkerSpec, 'taker' | 'readTaken'>> {
  readonly effects: Partial<Effects>
}

export interface WorkerSpec {
  /** Name for error texts, the log and `bus.onTransition`. */
  name: string
  supervision: SupervisionConfig
  /** Starts one thread of this worker. Called again for each restart. */
  spawn(heartbeat: Heartbeat | undefined): ThreadHandle
  /** True if its thread is that of a relay, which ends the process that runs the code. It is always asked to stop first. */
  isRelayed?: boolean
  /** Who takes what it sends: core, and before it a gate. Code that ends waits for it. */
  taker?: Peer | undefined
  /** Returns what changes while core takes what it has sent. */
  readTaken?(): unknown
  /** True if the thread does not get that time if its code runs on when it is asked to stop. */
  endsIfSilent?: boolean
  /** In development: after an error the worker waits for `reload` instead of restarting. */
  waitsAfterError?: boolean
  /** True while the worker's opener waits for it: an error is final then, because the opener gets it. */
  isOpening?(): boolean
  /** True once it must not restart, and stops soon. */
  isClosing?(): boolean
  /** True if a call of the current thread, through it or to it has succeeded. */
  hasServed?(): boolean
  /** In development: can add an explanation to an error. The exit is reported afterwards, or as soon as the signal aborts. */
  explainError?(error: Error, signal: AbortSignal): Promise<void> | undefined
  /** A restarted thread that takes far too long to be ready is terminated. Only for workers that wait for no other worker. */
  hasStartTimeout?: boolean
  /** What the life of a frontend has in addition. */
  links?: Omit<FrontendTerms, 'taker' | 'readTaken' | 'effects'> & Pick<LifeInput, 'keepsLink' | 'isSpent'>
  /** What its owners do as it lives, behind what the host does for each worker. */
  effects?: readonly Partial<Effects>[]
  /** Called with each message other than a state report. It is untrusted. */
  onReport(report: unknown): void
  onState(state: LifecycleState): void
}
