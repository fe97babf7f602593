// The inspectors of a bus. Each serves the page of @sallyport/inspector, which is loaded when one is opened.
import { BusError } from '@sallyport/protocol/internal/errors'
import type { ExplainedFrontend } from '../acl/explain.js'
import type { Measurement } from '../contract/host-core.js'
import type { FrontendInfo } from '../life/frontends/types.js'
import type { Host } from './host.js'
import type { Inspector } from '../options/types.js'
import type { BusState, WorkerStatus } from '../life/supervisor.js'
import type { LocalCore } from './local-core.js'
import type { BusReporter } from '../life/reporting/events.js'
import { type BusStats, readStats } from '../life/reporting/stats.js'

/** An inspector as the bus holds it. */
export interface OpenInspector extends Inspector {
  /** @param reason - shown by the pages */
  end(reason: string): Promise<void>
  readonly closed: Promise<void>
}

/** What an inspector reads of the bus. */
export interface InspectedBus {
  getState(): BusState
  getStats(): BusStats
  /** Returns the statuses of the workers by their names: `core`, `frontend "label"`, `gate "label"`. */
  getWorkerStatuses(): ReadonlyMap<string, WorkerStatus>
  /** True if core is in the thread of the host. */
  readonly isCoreInProcess: boolean
  getInfo(label: string): FrontendInfo | undefined
  /** Updates the statistics, and lets core watch calls. Resolves with `undefined` if core does not answer. */
  measure(): Promise<Measurement | undefined>
  /** Lets core watch calls no longer, unless another inspector measures. */
  release(): void
  on: BusReporter['on']
  explain(label: string): Promise<ExplainedFrontend>
}

/** @internal */
export class Inspectors {
  readonly #host: Host<LocalCore>
  readonly #open = new Set<OpenInspector>()
  /** Inspectors for which core watches calls. */
  readonly #watchers = new Set<InspectedBus>()

  constructor(host: Host<LocalCore>) {
    this.#host = host
  }

  /** @throws {BusError} InvalidParams if the package is missing or the port is not available; Disconnected if the bus is closing */
  async open(options: { port: number; editor: string }): Promise<Inspector> {
    const { openInspector } = await loadPackage()
    const view = this.#createView()
    let inspector: OpenInspector
    try {
      // A call that blocks core right after this is known.
      await view.measure()
      inspector = await openInspector(view, options)
    } catch (error) {
      view.release()
      throw error
    }
    if (this.#host.isClosing) {
      await inspector.close()
      this.#host.checkRunning()
    }
    this.#open.add(inspector)
    void inspector.closed.then(() => {
      this.#open.delete(inspector)
      view.release()
    })
    return inspector
  }

  async endAll(reason: string): Promise<void> {
    await Promise.all([...this.#open].map(inspector => inspector.end(reason)))
  }

  /** Reading through this view changes nothing for other readers: rates are not reset, and event listeners not counted. */
  #createView(): InspectedBus {
    const { core, supervisor, reporter, frontends } = this.#host
    const watchers = this.#watchers
    const view: InspectedBus = {
      getState: () => supervisor.state,
      getStats: () => readStats(this.#host, false),
      getWorkerStatuses: () => supervisor.getWorkerStatuses(),
      isCoreInProcess: core.isInProcess,
      getInfo: label => frontends.getInfo(label),
      measure() {
        watchers.add(view)
        return core.measure(true)
      },
      release() {
        if (watchers.delete(view) && watchers.size === 0) void core.measure(false)
      },
      on: (name, listener) => reporter.on(name, listener),
      explain: label => core.explain(label),
    }
    return view
  }
}

/** @throws {BusError} InvalidParams */
async function loadPackage(): Promise<typeof import('@sallyport/inspector/internal')> {
  // Bundlers take the package along if it is installed, and within `try` do without it otherwise.
  try {
    return await import('@sallyport/inspector/internal')
  } catch (cause) {
    const text = 'The inspector needs the package @sallyport/inspector, which could not be loaded'
    throw new BusError('InvalidParams', `${text}. Run: npm install @sallyport/inspector`, { cause })
  }
}
