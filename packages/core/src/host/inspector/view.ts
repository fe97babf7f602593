// What an inspector sees of a bus.
import type { AnyStateMachine } from 'xstate'
import type { ExplainedFrontend } from '../../authority/explain.js'
import type { BusStats } from '../stats.js'
import type { BusState, WorkerSight } from '../supervisor.js'
import type { BusEvents } from '../teller.js'

export interface BusView {
  readonly state: BusState
  /** How far what was counted is now. */
  readonly stats: BusStats
  /** Each worker, by its name. */
  readonly sights: ReadonlyMap<string, WorkerSight>
  /** How the bus, and how a worker of it, can be. */
  readonly machines: { readonly bus: AnyStateMachine; readonly thread: AnyStateMachine }
  /** Brings the figures up to date; `false` where core does not answer. */
  measure(): Promise<boolean>
  /** Gives back what takes the handler away. */
  on<Name extends keyof BusEvents>(name: Name, handler: (event: BusEvents[Name]) => void): () => void
  /** What this frontend may call now. */
  explain(label: string): Promise<ExplainedFrontend>
}
