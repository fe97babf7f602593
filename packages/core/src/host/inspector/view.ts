// The inspector's view of a bus, and the types of `bus.inspectServer`.
import type { AnyStateMachine } from 'xstate'
import type { ExplainedFrontend } from '../../acl/explain.js'
import type { Measurement } from '../../contract/control.js'
import type { BusEvents } from '../reporting/events.js'
import type { BusStats } from '../reporting/stats.js'
import type { BusState, WorkerStatus } from '../supervision/supervisor.js'

/** @internal */
export interface BusView {
  readonly state: BusState
  /** Statistics as of the last `measure`. */
  readonly stats: BusStats
  /** The status of each worker, by name. */
  readonly workerStatus: ReadonlyMap<string, WorkerStatus>
  readonly machines: { readonly bus: AnyStateMachine; readonly worker: AnyStateMachine }
  /** Updates the statistics, and lets core count calls by command. Resolves with `undefined` if core does not answer. */
  measure(): Promise<Measurement | undefined>
  /** Returns an unsubscribe function. */
  on<Name extends keyof BusEvents>(name: Name, listener: (event: BusEvents[Name]) => void): () => void
  /** Resolves with what this frontend may call now. */
  explain(label: string): Promise<ExplainedFrontend>
}

/** Options of `bus.inspectServer`. */
export interface InspectorOptions {
  /** The port on 127.0.0.1; a free one by default. */
  port?: number
}

/** A running inspector page. */
export interface Inspector extends AsyncDisposable {
  /** The page, with the token that each request needs: it opens for anyone who has the URL. */
  readonly url: string
  /** Ends the inspector and disconnects its pages. The bus does so too when it closes. */
  close(): Promise<void>
}

/** An inspector as the bus holds it. */
export interface OpenInspector extends Inspector {
  /** @param reason - shown by the pages */
  end(reason: string): Promise<void>
  /** Resolves when the inspector has ended. */
  readonly closed: Promise<void>
}
