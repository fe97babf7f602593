// The load of a frontend's module by one thread, and the wait for it by `createBus`, `bus.open` and `bus.reload`.
import { deadline } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { createDeferred } from '@sallyport/protocol/internal/util'
import { getWorkerName } from '../supervision/policy.js'
import { isInspectorOpen } from '../supervision/watchdog.js'

/** The module has been evaluated; core has the events that it emitted. */
export type LoadStep = 'loaded' | 'synchronized'

export class ModuleLoad {
  readonly #steps = { loaded: createDeferred(), synchronized: createDeferred() }
  readonly #isFirstTry: boolean
  #isLoaded = false
  #isSynchronized = false
  #hasFailed = false

  /** @param isFirstTry - whether an error is final, because the caller that waits for the module gets it */
  constructor(isFirstTry: boolean) {
    this.#isFirstTry = isFirstTry
    for (const { promise } of Object.values(this.#steps)) promise.catch(() => {})
  }

  /** True while an error is final. */
  get isOpening(): boolean {
    return this.#isFirstTry && !this.#isLoaded
  }

  get isOver(): boolean {
    return this.#isLoaded || this.#hasFailed
  }

  get synchronized(): Promise<void> {
    return this.#steps.synchronized.promise
  }

  reach(step: LoadStep): void {
    if (step === 'loaded') this.#isLoaded = true
    if (step === 'synchronized') this.#isSynchronized = true
    this.#steps[step].resolve()
  }

  /** Ends the wait: the thread has stopped. */
  fail(error: Error | undefined): void {
    this.#hasFailed = true
    if (this.#isSynchronized) return
    const message = 'The frontend exited before its module was loaded'
    const reason = error ?? new BusError('Disconnected', message, { data: { delivered: 'no' } })
    for (const { reject } of Object.values(this.#steps)) reject(reason)
  }

  /**
   * Resolves once the module has been evaluated. Rejects if the thread stops before that, and with `Timeout` after `timeout` milliseconds:
   * the caller ends the thread then. A module that waits at a breakpoint has all the time it needs.
   */
  async wait(label: string, timeout: number): Promise<void> {
    const onLate = (): void => {
      if (isInspectorOpen()) return watch()
      const remedy = 'Pass a longer `loadTimeout`, or `loaded: false` for a module whose top level never ends'
      const late = `${getWorkerName('frontend', label)} did not evaluate its module within ${timeout} ms. ${remedy}`
      if (!this.#isLoaded) this.#steps.loaded.reject(new BusError('Timeout', late))
      this.reach('synchronized')
    }
    let end = (): void => {}
    const watch = (): void => void (end = deadline(timeout, onLate))
    watch()
    const stop = (): void => end()
    this.synchronized.then(stop, stop)
    await this.#steps.loaded.promise
  }
}
