// A worker as the host sees it: a life, and the threads that it has one after the other. What happens next is decided by the table; this carries
// it out, with the times that it takes.
import { silence } from '@sallyport/protocol/internal/contract'
import type { BusError } from '@sallyport/protocol/internal/errors'
import type { TransferListItem } from '@sallyport/protocol/internal/link'
import { createDeferred, type Deferred } from '@sallyport/protocol/internal/util'
import type { WorkerState, WorkerStats } from './policy.js'
import { createEnd, type Effects, getExit, type LifeContext, type LifeTerms, type WorkerExit } from './judge.js'
import { hasEnded, type Life } from './table.js'
import { ThreadCode, type WorkerDeps, type WorkerSpec } from './thread.js'

/** Time for a restarted thread to be ready; ten times the first start-up, if that is longer. */
const MIN_START_TIMEOUT_MS = 60_000

export class SupervisedWorker {
  readonly life: Life
  /** Rejects if the first thread exits before it is ready: a first start is not retried. */
  readonly ready: Promise<void>
  /** Resolves when no other thread follows. Never rejects. */
  readonly exited: Promise<WorkerExit>
  readonly spec: WorkerSpec
  code!: ThreadCode
  readonly #deps: WorkerDeps
  readonly #ready = createDeferred()
  readonly #exited = createDeferred<WorkerExit>()
  readonly #release: () => void
  readonly #reloads: Deferred<void>[] = []
  /** End the deadlines of the current state. */
  readonly #deadlines: (() => void)[] = []
  #startedAt = 0
  #startupMs: number | undefined

  constructor(spec: WorkerSpec, deps: WorkerDeps, create: (terms: LifeTerms) => Life, release: () => void) {
    this.spec = spec
    this.#deps = deps
    this.#release = release
    this.ready = this.#ready.promise
    this.exited = this.#exited.promise
    this.ready.catch(() => {})
    const { name, supervision, waitsAfterError, isOpening, isClosing, hasServed, isRelayed, links, effects = [] } = spec
    const obstacle = isRelayed ? 'the system has not ended its process' : 'its thread is stuck in native code'
    this.life = create({
      ...{ name, supervision, waitsAfterError, obstacle, ...links },
      ...(isOpening && { isOpening }),
      ...(hasServed && { hasServed }),
      ...(isClosing && { isDraining: () => isClosing() || deps.isDraining() }),
      effects: [this.#effects, ...effects],
    })
  }

  get stats(): WorkerStats {
    const { value, context } = this.life
    const { code: state } = value
    const isEnding = state === 'ending' || state === 'killing'
    const ending = ({ stop: 'draining', reload: 'reloading', fail: 'leaving', none: 'leaving' } as const)[context.goal]
    const others = state === 'renewed' ? 'starting' : (state as WorkerState)
    return { state: isEnding ? ending : others, restarts: context.history.count }
  }

  /** True while there is a thread that takes messages. */
  get isUp(): boolean {
    const { code } = this.life.value
    return (code === 'starting' || code === 'running') && this.code.thread !== undefined
  }

  post(message: unknown, transfer?: readonly TransferListItem[]): void {
    this.code.post(message, transfer)
  }

  /** Asks the thread to drain for at most `timeout` milliseconds, then terminates it. Resolves once it exited or was abandoned. */
  stop(timeout: number): Promise<WorkerExit> {
    this.life.send({ type: 'STOP', timeout })
    return this.exited
  }

  /** Ends the thread, which does not respond, with this error. The worker can restart. */
  terminate(error: Error): void {
    this.life.send({ type: 'SENTENCE', error, isBlocked: this.spec.isRelayed !== true })
  }

  /**
   * Replaces the thread, which does not count as a restart. Resolves once the new one is ready; rejects with the error that prevented it.
   *
   * @param timeout - milliseconds that the thread is given to drain
   */
  reload(timeout = 0): Promise<void> {
    const reload = createDeferred()
    if (hasEnded(this.life)) reload.reject(this.life.context.error ?? this.#createStopped())
    else this.#reloads.push(reload)
    this.life.send({ type: 'RELOAD', timeout })
    return reload.promise
  }

  get #effects(): Partial<Effects> {
    const rest = (): void => {
      for (const end of this.#deadlines.splice(0)) end()
    }
    return {
      rest,
      spawn: context => this.#spawn(context),
      ready: () => {
        this.#startupMs ??= this.#deps.now() - this.#startedAt
        this.#ready.resolve()
        for (const { resolve } of this.#reloads.splice(0)) resolve()
      },
      askToStop: ({ stopTimeout }) => {
        rest()
        const { code } = this
        const awaitEnd = (): void => void this.#deadlines.push(code.awaitEnd(() => this.life.send({ type: 'SILENT' })))
        code.stop(stopTimeout)
        if (stopTimeout > 0) this.#after(stopTimeout, awaitEnd)
        else awaitEnd()
      },
      kill: (_, event) => {
        if (event?.type === 'FAIL') return this.code.abandon()
        const stuck = (): void => {
          this.code.abandon()
          this.life.send({ type: 'OBITUARY', obituary: { ranCode: true, by: 'nobody' } })
        }
        this.#deadlines.push(this.code.awaitKill(stuck))
        this.code.kill()
      },
      backOff: ({ error, history }) => {
        this.#after(history.delay, () => this.life.send({ type: 'ELAPSED' }))
        this.#rejectReloads(error)
      },
      wait: ({ error }) => this.#rejectReloads(error),
      over: context => {
        const { error } = context
        this.#release()
        this.#rejectReloads(error)
        this.#ready.reject(error ?? this.#createStopped())
        this.#exited.resolve(getExit(context))
      },
    }
  }

  #spawn({ run }: LifeContext): void {
    const { spec } = this
    this.#startedAt = this.#deps.now()
    this.code = new ThreadCode(spec, this.#deps.isDraining, event => this.life.send(event))
    if (run === 1 || !spec.hasStartTimeout || this.#startupMs === undefined) return
    const ms = Math.max(MIN_START_TIMEOUT_MS, Math.round(10 * this.#startupMs))
    const late = (): void =>
      this.terminate(createEnd(spec.name, 'Timeout', `restarted and was not ready after ${ms} ms`))
    this.#deadlines.push(silence(ms, { keepsAlive: false }, late))
  }

  #createStopped(): BusError {
    return createEnd(this.spec.name, 'Disconnected', 'was stopped before it was ready')
  }

  #after(ms: number, run: () => void): void {
    this.#deadlines.push(this.#deps.after(ms, run))
  }

  #rejectReloads(error: Error | undefined): void {
    for (const { reject } of this.#reloads.splice(0)) reject(error ?? this.#createStopped())
  }
}
