// Frontends that have failed, and that the host closed then: a host often removes what fails, and people look for it.
import { MAX_NAME_LENGTH } from '../../shared/suggest.js'
import type { BusReporter } from '../reporting/events.js'
import { SessionTraffic } from '../reporting/stats.js'
import { getPlace, MAX_TEXT, toPrintable } from './printable.js'
import type { FrontendView } from './views.js'

const MAX_KEPT = 100

export class ClosedFrontends {
  readonly #failed = new Map<string, FrontendView>()
  readonly #unsubscribe: () => void

  constructor(on: BusReporter['on']) {
    this.#unsubscribe = on('failed', ({ label, worker, error }) => {
      if (worker === 'core') return
      const { perSecond: _perSecond, ...traffic } = new SessionTraffic().snapshot(false, false)
      this.#failed.delete(label)
      this.#failed.set(label, {
        ...traffic,
        ...{ label: toPrintable(label, MAX_NAME_LENGTH), state: 'failed', restarts: 0, rejected: 0, isClosed: true },
        ...{ isWorker: false, lifecycle: undefined },
        ...{ error: toPrintable(error.message, MAX_TEXT), where: toPrintable(getPlace(error), MAX_TEXT) },
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
