// The sessions of a core. Frontends come and go: the others are told of it, and what handlers opened for one is closed after
// it.
import type { Logger } from 'pino'
import type { EventRouter } from './events.js'
import { tellCreated, tellDestroyed } from './frontend-events.js'
import { ResourceTable } from './resources.js'
import { Session, type SessionOptions, type SessionReport } from './session.js'

export interface SessionsParts {
  router: EventRouter
  getLog: () => Logger
  report: Omit<SessionReport, 'closed'>
}

export class Sessions {
  readonly #parts: SessionsParts
  readonly #open = new Set<Session>()
  /** What is being closed after frontends that have gone. */
  readonly #closing = new Set<Promise<void>>()
  readonly #hurry = new AbortController()

  constructor(parts: SessionsParts) {
    this.#parts = parts
  }

  /** Of the frontends that there are; the host is none. */
  get labels(): readonly string[] {
    return [...this.#open].map(({ label }) => label).filter(label => label !== undefined)
  }

  /** The session of a frontend. */
  find(label: string): Session | undefined {
    return [...this.#open].find(session => session.label === label)
  }

  add(options: Omit<SessionOptions, 'router' | 'resources' | 'report'>): void {
    const { router, getLog, report } = this.#parts
    const { label } = options
    const failed = (error: unknown): void =>
      getLog().error({ label: label ?? 'host', err: error }, 'a resource could not be closed')
    const resources = new ResourceTable({ label, failed })
    const closed = (session: Session): void => {
      this.#open.delete(session)
      const closing = resources.closeAll(this.#hurry.signal).finally(() => this.#closing.delete(closing))
      this.#closing.add(closing)
      if (label !== undefined) tellDestroyed(router, label)
    }
    this.#open.add(new Session({ ...options, router, resources, report: { ...report, closed } }))
    if (label !== undefined) tellCreated(router, label)
  }

  /** Takes no further call; resolves once those that run have ended. */
  async drain(): Promise<void> {
    await Promise.all([...this.#open].map(session => session.drain()))
  }

  /** Ends the frontends, and closes what was open for them. After `hurry` nothing more is waited for. */
  async closeFrontends(hurry: AbortSignal): Promise<void> {
    const links = [...this.#open].filter(({ label }) => label !== undefined).map(session => session.close())
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
