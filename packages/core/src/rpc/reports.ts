// What a session reports: to the host and to the log of core, at most a few times a second for each kind, and to the subscribers of the
// diagnostics channels. Their callers check for subscribers first, so that a call costs no more than that check while nobody listens.
import { type BusError, reportError } from '@sallyport/protocol/internal/errors'
import { formatSuppressed, Throttle } from '@sallyport/protocol/internal/util'
import type { Logger } from 'pino'
import type { CoreReport, InterruptionReport } from '../contract/host-core.js'
import { MAX_NAME_LENGTH } from '../shared/frontend-errors.js'
import { channel, type Channel, tracingChannel } from 'node:diagnostics_channel'
import { type CallMessage, STREAM_HEADER } from '@sallyport/protocol/internal/message'
import {
  type CallChannel,
  type CallTrace,
  type EventTrace,
  type Outcome,
  traceRun,
} from '@sallyport/protocol/internal/rpc'

export interface SessionReportsDeps {
  label: string | undefined
  frontend: number | undefined
  linkId: number | undefined
  getLog: () => Logger
  report: (report: CoreReport) => void
  closed: () => void
}

/** What a session and the phases of its calls report to. */
export type SessionEvents = Pick<SessionReports, keyof SessionReports>

export class SessionReports {
  readonly #deps: SessionReportsDeps
  readonly #label: string
  readonly #denials = new Throttle<readonly [string, string]>(([command, hint], more) =>
    this.#deps.report({ type: 'denied', label: this.#label, command, hint, more }),
  )
  readonly #slowCalls = new Throttle<readonly [string, number]>(([command, ms], more) =>
    this.#deps.report({ type: 'slow', label: this.#label, command, ms, more }),
  )
  readonly #warnings = new Throttle<readonly [string, object | undefined]>(([text, fields], more) =>
    this.#deps.getLog().warn({ label: this.#label, ...fields }, formatSuppressed(text, more)),
  )
  /** Lines of the log that are counted, by their text and command: those of one must not count for another. */
  readonly #counted = new Map<string, Throttle<object>>()
  readonly #drops = new Throttle<undefined>(
    (_, more) => this.#deps.report({ type: 'overload', label: this.#label, dropped: more + 1 }),
    1,
  )

  constructor(deps: SessionReportsDeps) {
    this.#deps = deps
    this.#label = deps.label ?? 'host'
  }

  denied(command: string, hint: string): void {
    const name = truncate(command)
    this.#denials.add([name, hint])
    this.#count('denied', { label: this.#label, command: name, hint })
  }

  /** A call has interrupted the run that is this session. */
  interrupted(interruption: InterruptionReport): void {
    const { report, frontend } = this.#deps
    if (frontend !== undefined) report({ type: 'interrupted', frontend, ...interruption })
  }

  /** Code of core made a mistake, of which the caller is innocent: the line has no label. */
  mistaken(event: 'command threw' | 'message lost', fields: Readonly<Record<string, string>>): void {
    this.#count(event, fields)
  }

  /** Writes one line a second. */
  #count(text: string, fields: Readonly<Record<string, string>>): void {
    const key = `${text} ${fields['command']}`
    let throttle = this.#counted.get(key)
    if (!throttle) {
      throttle = new Throttle<object>(
        (latest, more) => this.#deps.getLog().warn({ ...latest, ...(more > 0 && { more }) }, text),
        1,
      )
      this.#counted.set(key, throttle)
    }
    throttle.add(fields)
  }

  warned(text: string, fields?: { command: string; reason?: string }): void {
    this.#warnings.add([text, fields && { ...fields, command: truncate(fields.command) }])
  }

  slow(command: string, ms: number): void {
    this.#slowCalls.add([truncate(command), ms])
  }

  /** The peer violated the protocol, and the session closes. */
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

  closed(): void {
    for (const throttle of [this.#denials, this.#slowCalls, this.#drops, this.#warnings]) throttle.flush()
    for (const throttle of this.#counted.values()) throttle.flush()
    this.#deps.closed()
  }
}

export const commands: CallChannel = tracingChannel('sallyport.command')
export const frontendCalls: CallChannel = tracingChannel('sallyport.call')

export const eventsSent: Channel = channel('sallyport:core.event:sent')
export const eventsReceived: Channel = channel('sallyport:core.event:received')

const truncate = <T>(name: T): T => (typeof name === 'string' ? (name.slice(0, MAX_NAME_LENGTH) as T) : name)

export type TraceSource = Pick<CallTrace, 'label' | 'codec'>

/** Traces one call. `run` sees the stores that subscribers bound to the channel. */
export function traceCommand(source: TraceSource, message: CallMessage, run: () => Outcome | Promise<Outcome>): void {
  const { id, method, headers } = message
  // All members are listed, because `...source` made a call 1.6 µs slower.
  const trace: CallTrace = {
    label: source.label,
    command: truncate(method),
    id: truncate(id),
    codec: source.codec,
    stream: headers?.[STREAM_HEADER] !== undefined,
    traceparent: headers?.['traceparent'],
    tracestate: headers?.['tracestate'],
  }
  traceRun(commands, trace, run)
}

/** Publishes an event. An invalid name is not published here, because the command that it came with fails. */
export function publishEvent(to: Channel, source: TraceSource, event: unknown): void {
  if (typeof event !== 'string') return
  const trace: EventTrace = { label: source.label, event: truncate(event), codec: source.codec }
  to.publish(trace)
}
