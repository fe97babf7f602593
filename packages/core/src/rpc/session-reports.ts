// What a session reports: to the host and to the log of core, at most a few times a second for each kind.
import { type BusError, reportError } from '@sallyport/protocol/internal/errors'
import { formatSuppressed, Throttle } from '@sallyport/protocol/internal/util'
import type { Logger } from 'pino'
import type { CoreReport, InterruptionReport } from '../contract/host-core.js'
import { MAX_NAME_LENGTH } from '../shared/suggest.js'
import type { Session, SessionEvents } from './session.js'

export interface SessionReportsDeps {
  label: string | undefined
  frontend: number | undefined
  linkId: number | undefined
  getLog: () => Logger
  report: (report: CoreReport) => void
  closed: (session: Session) => void
}

export class SessionReports implements SessionEvents {
  readonly #deps: SessionReportsDeps
  readonly #label: string
  readonly #denials = new Throttle<readonly [string, string, string | undefined]>(([command, hint, details], more) =>
    this.#deps.report({
      type: 'denied',
      label: this.#label,
      command,
      hint,
      ...(details !== undefined && { details }),
      more,
    }),
  )
  readonly #slowCalls = new Throttle<readonly [string, number]>(([command, ms], more) =>
    this.#deps.report({ type: 'slow', label: this.#label, command, ms, more }),
  )
  readonly #warnings = new Throttle<readonly [string, object | undefined]>(([text, fields], more) =>
    this.#deps.getLog().warn({ label: this.#label, ...fields }, formatSuppressed(text, more)),
  )
  /** By event and command: those of one must not count for another. */
  readonly #mistakes = new Map<string, Throttle<object>>()
  readonly #drops = new Throttle<undefined>(
    (_, more) => this.#deps.report({ type: 'overload', label: this.#label, dropped: more + 1 }),
    1,
  )

  constructor(deps: SessionReportsDeps) {
    this.#deps = deps
    this.#label = deps.label ?? 'host'
  }

  denied(command: string, hint: string, details: string | undefined): void {
    this.#denials.add([truncate(command), hint, details])
  }

  interrupted(interruption: InterruptionReport): void {
    const { report, frontend } = this.#deps
    if (frontend !== undefined) report({ type: 'interrupted', frontend, ...interruption })
  }

  mistaken(event: string, fields: Readonly<Record<string, string>>): void {
    const key = `${event} ${fields['command']}`
    let throttle = this.#mistakes.get(key)
    if (!throttle) {
      throttle = new Throttle<object>(
        (latest, more) => this.#deps.getLog().warn({ ...latest, ...(more > 0 && { more }) }, event),
        1,
      )
      this.#mistakes.set(key, throttle)
    }
    throttle.add(fields)
  }

  warned(text: string, fields?: { command: string; reason: string }): void {
    this.#warnings.add([text, fields && { ...fields, command: truncate(fields.command) }])
  }

  slow(command: string, ms: number): void {
    this.#slowCalls.add([truncate(command), ms])
  }

  fault(error: BusError): void {
    const { report, frontend, linkId: id } = this.#deps
    report({ type: 'fault', label: this.#label, frontend, id, error: reportError(error) })
  }

  dropped(count: number): void {
    this.#drops.add(undefined, count)
  }

  resourceFailed(err: unknown): void {
    this.#deps.getLog().error({ label: this.#label, err }, 'a resource could not be closed')
  }

  closed(session: Session): void {
    for (const throttle of [this.#denials, this.#slowCalls, this.#drops, this.#warnings]) throttle.flush()
    for (const throttle of this.#mistakes.values()) throttle.flush()
    this.#deps.closed(session)
  }
}

const truncate = (command: string): string => command.slice(0, MAX_NAME_LENGTH)
