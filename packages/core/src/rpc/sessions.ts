// All sessions of a core: notifies the others when frontends come and go, and closes their resources.
import { once } from 'node:events'
import { every } from '@sallyport/protocol/internal/contract'
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import { RUN_METHOD } from '@sallyport/protocol/internal/message'
import type { Logger } from 'pino'
import {
  type CoreReport,
  type FrontendEnd,
  type EndedFrontend,
  type Measurement,
  type RunningCall,
} from '../contract/host-core.js'
import { emitCreated, emitDestroyed, type EventRouter } from '../events/router.js'
import { MAX_NAME_LENGTH } from '../shared/frontend-errors.js'
import type { CallWatch, WatchedCall } from '../shared/metrics.js'
import { getDisplayName, type IncomingCall, isLongLived } from './call-table.js'
import type { FrontendCalls } from './frontend-calls.js'
import { FrontendEnds } from './frontend-ends.js'
import { SessionReports } from './reports.js'
import { Session, type SessionOptions } from './session.js'
import { AnswerScheduler } from './writer.js'

export interface SessionsDeps {
  router: EventRouter
  getLog: () => Logger
  report: (report: CoreReport) => void
}

export interface AddedSession extends Omit<SessionOptions, 'router' | 'scheduler' | 'peers' | 'events' | 'life'> {
  /** Number of the link. `undefined` for a link that did not come from the host. */
  linkId: number | undefined
  /** @param isCodeOver - true if the frontend's code has ended too, and it has no other session */
  ended(isCodeOver: boolean): void
}

const MAX_RUNNING_CALLS = 20
const MIN_POLL_MS = 10

export class Sessions {
  readonly #deps: SessionsDeps
  readonly #open = new Set<Session>()
  /** The latest session of each label. An earlier one can still be closing. */
  readonly #byLabel = new Map<string, Session>()
  /** Sessions that share limits, by the label that these count for. */
  readonly #peers = new Map<string, Set<Session>>()
  /** Frontends of the host, by number. `isAnnounced`: the others know of its code. */
  readonly #frontends = new Map<number, { readonly label: string; readonly life: object; isAnnounced: boolean }>()
  /** Sessions whose code has ended. The end is emitted once the session has ended, too; a link can also be replaced. */
  readonly #over = new WeakMap<Session, { isAnnounced: boolean }>()
  readonly #ends = new FrontendEnds()
  readonly #scheduler = new AnswerScheduler()
  readonly #closingResources = new Set<Promise<void>>()
  readonly #resourcesAbort = new AbortController()
  #watch: CallWatch | undefined

  constructor(deps: SessionsDeps) {
    this.#deps = deps
  }

  get labels(): readonly string[] {
    return [...this.#open].flatMap(({ label }) => label ?? [])
  }

  get(label: string): Session | undefined {
    return this.#byLabel.get(label)
  }

  add(added: AddedSession): Session {
    const { router, getLog, report } = this.#deps
    const { label, frontend, linkId, limitLabel } = added
    const peers = limitLabel === undefined ? undefined : (this.#peers.get(limitLabel) ?? new Set<Session>())
    if (peers) this.#peers.set(limitLabel!, peers)
    const closed = (): void => this.#closed(session, added)
    const events = new SessionReports({ label, frontend, linkId, getLog, report, closed })
    const life = frontend === undefined ? undefined : this.#frontends.get(frontend)?.life
    const session = new Session({ ...added, router, scheduler: this.#scheduler, peers, events, life })
    peers?.add(session)
    session.metrics.watch = this.#watch?.getCaller(session.name)
    this.#open.add(session)
    if (label !== undefined) {
      this.#ends.begin(label, linkId)
      this.#byLabel.set(label, session)
    }
    return session
  }

  #closed(session: Session, { label, frontend, linkId, limitLabel, ended }: AddedSession): void {
    const { router, report } = this.#deps
    const { frontendCalls } = session
    this.#open.delete(session)
    const peers = limitLabel === undefined ? undefined : this.#peers.get(limitLabel)
    if (peers?.delete(session) && peers.size === 0) this.#peers.delete(limitLabel!)
    // Stryker disable next-line ConditionalExpression: no session is known by no label
    if (label !== undefined && this.#byLabel.get(label) === session) this.#byLabel.delete(label)
    const closing = session.resources
      .closeAll(this.#resourcesAbort.signal)
      .finally(() => this.#closingResources.delete(closing))
    this.#closingResources.add(closing)
    if (label === undefined) return
    const over = this.#over.get(session)
    this.#ends.ended(label, linkId, frontendCalls)
    ended(over !== undefined && this.#byLabel.get(label)?.frontend !== frontend)
    if (frontend !== undefined && linkId !== undefined) report({ type: 'closed', frontend, id: linkId })
    if (over?.isAnnounced) emitDestroyed(router, label)
  }

  /**
   * Calls a function that a frontend exposes.
   *
   * @param frontend - the number of the one that is meant; `undefined` for any that has the label
   * @throws {BusError} `Disconnected`; the function's own errors
   */
  async call(
    label: string,
    frontend: number | undefined,
    ...call: Parameters<FrontendCalls['call']>
  ): Promise<unknown> {
    if (!this.#byLabel.has(label)) await this.#ends.known(label)
    const session = this.#byLabel.get(label)
    if (!session) throw this.#ends.createError(String(label), this.#byLabel.keys())
    if (frontend === undefined || frontend === session.frontend) {
      const [name, , , context] = call
      if (name === RUN_METHOD) session.runTrace = context
      return session.frontendCalls.call(...call)
    }
    // A busy core reads the call after the host has closed that frontend and opened another one.
    throw new BusError('Disconnected', `The frontend ${describeName(label)} disconnected`, {
      data: { delivered: 'no' },
    })
  }

  /** Calls a function that the host exposes. @throws {BusError} `Disconnected`; the function's own errors */
  async callHost(
    method: string,
    args: unknown,
    options: Parameters<FrontendCalls['call']>[2],
    canStream: boolean,
  ): Promise<unknown> {
    // The host's session is the first one, unless its link was replaced.
    for (const { label, frontendCalls } of this.#open) {
      if (label === undefined) return frontendCalls.call(method, args, options, undefined, false, canStream)
    }
    throw new BusError('Disconnected', 'The host is not connected', { data: { delivered: 'no' } })
  }

  /** The host has a frontend with this label. @param isAnnounced - true if the others know of its code */
  know(frontend: number, label: string, isAnnounced: boolean): void {
    if (!this.#frontends.has(frontend)) this.#frontends.set(frontend, { label, life: {}, isAnnounced })
  }

  /** Emits that a frontend's module begins to run. Its session can have ended already, because the two use different ports. */
  begin(number: number): void {
    const frontend = this.#frontends.get(number)
    if (!frontend || frontend.isAnnounced) return
    frontend.isAnnounced = true
    this.emitCreated(frontend.label)
  }

  /** The code of a frontend has ended. Returns its label and its session, if that goes on. A frontend that is gone, or of another core, has none. */
  codeEnded(number: number, { end, next }: EndedFrontend): { label: string; session: Session | undefined } | undefined {
    const frontend = this.#frontends.get(number)
    if (!frontend) return undefined
    const { label, isAnnounced } = frontend
    frontend.isAnnounced = false
    if (next === 'none') this.#frontends.delete(number)
    this.#ends.explain(label, end, next === 'restart')
    const latest = this.#byLabel.get(label)
    const session = latest?.frontend === number ? latest : undefined
    this.emitDestroyed(label, session, isAnnounced)
    return { label, session }
  }

  emitCreated(label: string): void {
    emitCreated(this.#deps.router, label)
  }

  /** Emits that a frontend has ended, once its session has. @param isAnnounced - false if the others were never notified of it */
  emitDestroyed(label: string, session: Session | undefined, isAnnounced: boolean): void {
    if (session) this.#over.set(session, { isAnnounced })
    else if (isAnnounced) emitDestroyed(this.#deps.router, label)
  }

  /** Nothing more comes over a link of the host, whose frontend can have ended. */
  detach(link: number, end: FrontendEnd | undefined): void {
    this.#ends.detach(link, end)
  }

  watchCalls(watch: CallWatch | undefined): void {
    this.#watch = watch
    for (const session of this.#open) session.metrics.watch = watch?.getCaller(session.name)
  }

  updateCounts(): void {
    for (const session of this.#open) session.updateCounts()
  }

  measure(): Measurement {
    this.updateCounts()
    const watched = this.#watch?.report(this.#getRunning())
    const running: RunningCall[] = []
    for (const { label, command } of this.#getRunning()) {
      if (running.push({ label, command }) === MAX_RUNNING_CALLS) break
    }
    return { running, watched }
  }

  *#getRunning(): Generator<WatchedCall> {
    for (const session of this.#open) {
      for (const call of session.calls.all) {
        const command = getDisplayName(call).slice(0, MAX_NAME_LENGTH)
        yield { call, label: call.label, command, isLongLived: isLongLived(call) }
      }
    }
  }

  /**
   * Reports calls that run for long, once each. Calls carry no start time, which would cost every call something. Instead all running
   * calls are polled ten times per limit: a call was running since the first poll that found it. Returns a function that stops it.
   */
  watchSlowCalls(slowAfterMs: number): () => void {
    let firstSeen = new Map<IncomingCall, number>()
    const reported = new WeakSet<IncomingCall>()
    const poll = (): void => {
      const now = performance.now()
      const running = new Map<IncomingCall, number>()
      for (const session of this.#open) {
        for (const call of session.calls.all) {
          if (isLongLived(call) || reported.has(call)) continue
          const since = firstSeen.get(call) ?? now
          if (now - since < slowAfterMs) {
            running.set(call, since)
            continue
          }
          reported.add(call)
          session.reportSlowCall(getDisplayName(call), Math.round(now - since))
        }
      }
      firstSeen = running
    }
    const end = every(Math.max(MIN_POLL_MS, slowAfterMs / 10), poll)
    return () => {
      end()
      firstSeen = new Map()
    }
  }

  async drain(): Promise<void> {
    await Promise.all([...this.#open].map(session => session.drain()))
  }

  /** Closes the frontends' sessions and resources, as core ends. Stops waiting when the signal aborts. */
  async closeFrontends(signal: AbortSignal): Promise<void> {
    const frontends = [...this.#open].filter(({ label }) => label !== undefined)
    for (const session of frontends) this.#over.set(session, { isAnnounced: true })
    this.#ends.close()
    const closed = Promise.all(frontends.map(session => session.close(true)))
    const aborted = signal.aborted ? Promise.resolve() : once(signal, 'abort')
    const stopped = aborted.then(() => this.#resourcesAbort.abort())
    await Promise.all([...this.#closingResources])
    await Promise.race([closed, stopped])
  }

  /** Closes all remaining sessions, the host's too, as core ends. Resolves once their answers are sent. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map(session => session.close(true)))
  }
}
