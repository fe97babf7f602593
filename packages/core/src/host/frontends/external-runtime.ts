// The runtime of a frontend whose code runs outside of this process, such as a web page. It comes with a link of its own to this
// thread, leaves when that link closes, and can come again.
import { BusError, closeEndpoint, describeName, type LinkEndpoint, openLink } from '@sallyport/protocol/internal'
import { bridge } from '../../network/bridge.js'
import type { BusReporter } from '../reporting/events.js'
import type { WorkerStats } from '../supervision/policy.js'
import type { ExternalCode, FrontendRuntime, RuntimeEvents } from './types.js'

export class ExternalRuntime implements FrontendRuntime {
  readonly #label: string
  readonly #reporter: BusReporter
  readonly #events: RuntimeEvents
  /** True at first, so that core checks the frontend's options by a link. */
  #isUp = true
  #isOver = false
  #code: ExternalCode | undefined
  #isConnected = false
  /** The protocol violation for which the code is disconnected. */
  #fault: Error | undefined

  constructor(label: string, reporter: BusReporter, events: RuntimeEvents) {
    this.#label = label
    this.#reporter = reporter
    this.#events = events
  }

  get isUp(): boolean {
    return this.#isUp
  }

  get stats(): WorkerStats {
    return { state: this.#isConnected ? 'running' : 'stopped', restarts: 0 }
  }

  /** Drops the link by which core has checked the options. The code can join from now on. */
  release(): void {
    this.#isUp = false
    this.#events.stopped(true)
  }

  join(code: ExternalCode): void {
    if (this.#isOver) return code.link.close()
    this.#leave()
    this.#code = code
    this.#isUp = true
    this.#events.restarted()
  }

  leave(code: ExternalCode): void {
    if (this.#code === code) this.#leave()
  }

  connect(endpoint: LinkEndpoint): void {
    const code = this.#code
    if (!code || this.#isConnected) {
      // The code's own link cannot change to another session: the code has to join again.
      closeEndpoint(endpoint)
      return this.#leave()
    }
    this.#isConnected = true
    code.connected()
    void bridge(openLink(endpoint, true), code.link).then(({ far }) => {
      if (far) {
        const text = `The link of frontend ${describeName(this.#label)} failed: ${far.message}`
        this.#reporter.reportFault(this.#label, new BusError(far.reason, text, { cause: far }))
      }
      this.leave(code)
    })
  }

  dismiss(error: Error): void {
    this.#fault = error
    this.#leave()
  }

  fail(error: Error): void {
    this.#end(error)
  }

  async stop(): Promise<void> {
    this.#end(undefined)
  }

  #leave(): void {
    const code = this.#code
    if (!code) return
    const isFaulty = this.#fault !== undefined
    this.#code = undefined
    this.#fault = undefined
    this.#isUp = false
    this.#isConnected = false
    code.link.close()
    this.#events.stopped(!isFaulty)
  }

  #end(error: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#leave()
    this.#isUp = false
    this.#events.exited(error)
  }
}
