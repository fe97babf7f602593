// The sessions of a core. Frontends come and go: the others are told of it, and what handlers opened for one is closed after
// it.
import { BusError, describeName, formatSuppressed, Throttle } from '@sallyport/protocol'
import type { Logger } from 'pino'
import { ResourceTable } from '../api/resources.js'
import type { RunningCall } from '../contract/control.js'
import { tellCreated, tellDestroyed } from '../events/frontend-events.js'
import type { EventRouter } from '../events/router.js'
import { didYouMean } from '../shared/suggest.js'
import { getName } from './call.js'
import { Session, type SessionOptions, type SessionReport } from './session.js'

export interface SessionsDeps {
  router: EventRouter
  getLog: () => Logger
  report: {
    /** `more` others were denied, and are not told one by one. */
    denied(label: string, command: string, more: number): void
    /** The link of this number has ended. */
    closed(label: string, id: number | undefined): void
    /** What came over the link of this number is no frame of an honest one. */
    fault(label: string, id: number | undefined, error: BusError): void
    /** A call that runs for so many milliseconds; `more` others are not told one by one. */
    slow(label: string, command: string, ms: number, more: number): void
    /** Events that it was too slow for, since it was last told of. */
    overload(label: string, dropped: number): void
  }
}

export interface AddedSession extends Omit<SessionOptions, 'router' | 'resources' | 'report'> {
  /** Of its link; none where the host has not given it. */
  id: number | undefined
  ended?(): void
}

/** Whoever called it chose it. */
const MAX_NAME = 200
/** Of calls that run. */
const MAX_NAMED = 20

export class Sessions {
  readonly #parts: SessionsDeps
  readonly #open = new Set<Session>()
  /** The latest of each label: one that was closed may still be on its way out. */
  readonly #byLabel = new Map<string, Session>()
  /** Whose frontends are gone: the others are told once the session has ended. A link may also close for another to follow. */
  readonly #ending = new WeakSet<Session>()
  /** What is being closed after frontends that have gone. */
  readonly #closing = new Set<Promise<void>>()
  readonly #hurry = new AbortController()

  constructor(parts: SessionsDeps) {
    this.#parts = parts
  }

  /** Of the frontends that there are; the host is none. */
  get labels(): readonly string[] {
    return [...this.#open].map(({ label }) => label).filter(label => label !== undefined)
  }

  /**
   * Calls a function that a frontend exposes.
   *
   * @throws BusError `Disconnected` where there is no such frontend, or it goes away meanwhile; what its function throws
   */
  async call(label: string, ...call: Parameters<Session['call']>): Promise<unknown> {
    const session = this.#byLabel.get(label)
    if (session) return session.call(...call)
    const hint = didYouMean(String(label), this.#byLabel.keys())
    const text = `There is no frontend ${describeName(String(label))}${hint}`
    throw new BusError('Disconnected', text, { data: { delivered: 'no' } })
  }

  add({ id, ended, ...options }: AddedSession): Session {
    const { router, getLog, report } = this.#parts
    const { label } = options
    const failed = (error: unknown): void =>
      getLog().error({ label: label ?? 'host', err: error }, 'a resource could not be closed')
    const resources = new ResourceTable({ label, failed })
    const name = label ?? 'host'
    const denials = new Throttle<string>((command, more) => report.denied(name, command, more))
    const slow = new Throttle<readonly [string, number]>((call, more) => report.slow(name, ...call, more))
    const warnings = new Throttle<readonly [string, object | undefined]>(([text, about], more) =>
      getLog().warn({ label: name, ...about }, formatSuppressed(text, more)),
    )
    const dropped = new Throttle<undefined>((_, more) => report.overload(name, more + 1), 1)
    const closed = (): void => {
      this.#open.delete(session)
      denials.flush()
      slow.flush()
      dropped.flush()
      warnings.flush()
      if (label !== undefined && this.#byLabel.get(label) === session) this.#byLabel.delete(label)
      const closing = resources.closeAll(this.#hurry.signal).finally(() => this.#closing.delete(closing))
      this.#closing.add(closing)
      if (label === undefined) return
      report.closed(label, id)
      ended?.()
      if (this.#ending.has(session)) tellDestroyed(router, label)
    }
    const told: SessionReport = {
      denied: command => denials.add(command.slice(0, MAX_NAME)),
      warn: (text, about) => warnings.add([text, about && { ...about, command: about.command.slice(0, MAX_NAME) }]),
      slow: (command, ms) => slow.add([command.slice(0, MAX_NAME), ms]),
      fault: (from, error) => report.fault(from, id, error),
      dropped: count => dropped.add(undefined, count),
      closed,
    }
    const session = new Session({ ...options, router, resources, report: told })
    this.#open.add(session)
    if (label !== undefined) this.#byLabel.set(label, session)
    return session
  }

  /** The latest of this label. */
  of(label: string): Session | undefined {
    return this.#byLabel.get(label)
  }

  /** Tells of a frontend: its module begins to run. It may have ended since: its link is another's port, and may be faster. */
  begin(label: string): void {
    tellCreated(this.#parts.router, label)
  }

  /** Tells that a frontend is gone. */
  end(label: string): void {
    const session = this.#byLabel.get(label)
    if (session) this.#ending.add(session)
    else tellDestroyed(this.#parts.router, label)
  }

  /** All that there are, the host’s too. */
  get open(): Iterable<Session> {
    return this.#open
  }

  /** Brings what can be read of each up to date. Gives the calls that run, a few of them. */
  measure(): RunningCall[] {
    const running: RunningCall[] = []
    for (const session of this.#open) {
      session.measure()
      for (const call of running.length < MAX_NAMED ? session.running : []) {
        if (running.length < MAX_NAMED) running.push({ label: call.label, command: getName(call).slice(0, MAX_NAME) })
      }
    }
    return running
  }

  /** Takes no further call; resolves once those that run have ended. */
  async drain(): Promise<void> {
    await Promise.all([...this.#open].map(session => session.drain()))
  }

  /** Ends the frontends, and closes what was open for them. After `hurry` nothing more is waited for. */
  async closeFrontends(hurry: AbortSignal): Promise<void> {
    const frontends = [...this.#open].filter(({ label }) => label !== undefined)
    frontends.forEach(session => this.#ending.add(session))
    const links = frontends.map(session => session.close())
    if (hurry.aborted) this.#hurry.abort()
    else hurry.addEventListener('abort', () => this.#hurry.abort(), { once: true })
    await Promise.all([...this.#closing])
    await Promise.race([Promise.all(links), aborted(hurry)])
  }

  /** Ends whatever is left, the host's session too. Resolves once what was answered has gone out. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map(session => session.close()))
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
