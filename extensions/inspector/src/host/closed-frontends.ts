// Frontends that have failed, and that the host closed then: a host often removes what fails, and people look for it.
import { MAX_NAME_LENGTH } from '../contract/call-report.js'
import type { InspectedBus } from '../contract/inspected-bus.js'
import type { FrontendView, TrafficView } from '../contract/views.js'
import { describeFailure } from './places.js'
import { toPrintable } from './printable.js'

const MAX_KEPT = 100
/** The statistics of a frontend end with it. */
export const NO_TRAFFIC: TrafficView = {
  ...{ inFlight: 0, queued: 0, calls: 0, failures: 0, denied: 0, overloaded: 0, late: 0 },
  events: { in: 0, out: 0, dropped: 0 },
  bytes: { in: 0, out: 0 },
  latency: { count: 0, p50: 0, p99: 0 },
}

export class ClosedFrontends {
  readonly #failed = new Map<string, FrontendView>()
  readonly #unsubscribe: () => void

  constructor(on: InspectedBus['on']) {
    this.#unsubscribe = on('failed', ({ label, worker, error }) => {
      if (worker === 'core') return
      this.#failed.delete(label)
      this.#failed.set(label, {
        ...NO_TRAFFIC,
        ...{
          label: toPrintable(label, MAX_NAME_LENGTH),
          state: 'failed',
          restarts: 0,
          rejected: 0,
          unsent: 0,
          isClosed: true,
        },
        isWorker: false,
        ...describeFailure(error),
      })
      if (this.#failed.size > MAX_KEPT) this.#failed.delete(this.#failed.keys().next().value!)
    })
  }

  /** Returns those that the host closed. Forgets those whose label is used again. */
  get(frontends: Readonly<Record<string, { state: string }>>): FrontendView[] {
    const closed: FrontendView[] = []
    for (const [label, view] of this.#failed) {
      const frontend = frontends[label]
      if (!frontend) closed.push(view)
      else if (frontend.state !== 'failed') this.#failed.delete(label)
    }
    return closed
  }

  end(): void {
    this.#unsubscribe()
  }
}
