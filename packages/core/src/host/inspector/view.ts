// What an inspector sees of a bus.
import type { AnyStateMachine } from 'xstate'
import type { ExplainedFrontend } from '../../acl/explain.js'
import type { BusEvents } from '../reporting/events.js'
import type { BusStats } from '../reporting/stats.js'
import type { BusState, WorkerStatus } from '../supervision/supervisor.js'

export interface BusView {
  readonly state: BusState
  /** How far what was counted is now. */
  readonly stats: BusStats
  /** Each worker, by its name. */
  readonly sights: ReadonlyMap<string, WorkerStatus>
  /** How the bus, and how a worker of it, can be. */
  readonly machines: { readonly bus: AnyStateMachine; readonly thread: AnyStateMachine }
  /** Brings the figures up to date; `false` where core does not answer. */
  measure(): Promise<boolean>
  /** Gives back what takes the handler away. */
  on<Name extends keyof BusEvents>(name: Name, handler: (event: BusEvents[Name]) => void): () => void
  /** What this frontend may call now. */
  explain(label: string): Promise<ExplainedFrontend>
}

// What `bus.inspectServer` takes and gives.

export interface InspectorOptions {
  /** On 127.0.0.1; a free one by default. */
  port?: number
}

export interface Inspector extends AsyncDisposable {
  /** With the token that each request needs: whoever has it sees the page. */
  readonly url: string
  /** Ends it, whoever looks at it. The bus does it too, when it closes. */
  close(): Promise<void>
}

/** As the bus holds it. */
export interface OpenInspector extends Inspector {
  /** The pages say why. */
  end(why: string): Promise<void>
  /** Resolves once it has ended. */
  readonly closed: Promise<void>
}
