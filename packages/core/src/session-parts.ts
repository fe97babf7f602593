// What a session is made of, and what it tells.
import type { BusError, CodecName, Link, Opener } from '@sallyport/protocol'
import type { App } from './app.js'
import type { Permits } from './authority/authority.js'
import type { CommandRegistry } from './commands.js'
import type { EventRouter } from './events.js'
import type { Meter } from './meter.js'
import type { Questions } from './questions.js'
import type { Resources } from './resources.js'

export interface SessionOptions {
  /** `undefined` for the host, which is trusted and no frontend. */
  label: string | undefined
  codec: CodecName
  link: Link
  /** In the isolation pattern: only records come in, and this opens them. */
  opener: Opener | undefined
  permits: Permits
  registry: CommandRegistry
  router: EventRouter
  app: App
  /** What handlers keep open for this frontend. Core closes it when the session has ended. */
  resources: Resources
  questions: Questions
  /** What is counted of it. */
  meter: Meter
  /** Calls bring their deadlines along, which end them here too. */
  deadlines: boolean
  report: SessionReport
}

/** What a session tells: suspicious activity, and its end. */
export interface SessionReport {
  denied(command: string): void
  /** For the log: what has nobody to be answered to, or an answer to nothing. */
  warn(text: string, about?: { command: string; reason: string }): void
  /** A call runs for so many milliseconds already. */
  slow(command: string, ms: number): void
  fault(label: string, error: BusError): void
  /** Events that this frontend was too slow for. */
  dropped(count: number): void
  closed(): void
}
