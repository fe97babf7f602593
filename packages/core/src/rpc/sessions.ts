// All sessions of a core: notifies the others when frontends come and go, reports their events to the host, and closes their resources.
import { once } from 'node:events'
import { formatSuppressed, reportError, Throttle } from '@sallyport/protocol/internal'
import type { Logger } from 'pino'
import { ResourceTable } from '../api/resources.js'
import type { CoreReport, FrontendEnd, Measurement, RunningCall } from '../contract/host-core.js'
import { emitCreated, emitDestroyed } from '../events/frontend-events.js'
import type { EventRouter } from '../events/router.js'
import { MAX_NAME_LENGTH } from '../shared/suggest.js'
import { CallWatch, type WatchedCall } from '../shared/call-watch.js'
import { type Call, getDisplayName, isStream } from './call-table.js'
import type { FrontendCalls } from './frontend-calls.js'
import { FrontendEnds, rejectCalls } from './frontend-ends.js'
import { Session, type SessionEvents, type SessionOptions } from './session.js'

export interface SessionsDeps {
  router: EventRouter
  getLog: () => Logger
  report: (report: CoreReport) => void
}

export interface AddedSession extends Omit<SessionOptions, 'router' | 'resources' | 'peers' | 'events'> {
  /** Number of the link. `undefined` for a link that did not come from the host. */
  linkId: number | undefined
  ended(): void
}

const countResources = ({ resources }: Session): number => resources.size

const MAX_RUNNING_CALLS = 20
const MIN_POLL_MS = 10

export class Sessions {
  readonly #deps: SessionsDeps
  readonly #open = new Set<Session>()
  /** The latest session of each label. An earlier one can still be closing. */
  readonly #byLabel = new Map<string, Session>()
  /** Sessions that share limits, by the label that these count for. */
  readonly #peers = new Map<string, Set<Session>>()
  /** Sessions whose frontends have ended. The end is emitted once the session has ended, too; a link can also be replaced. */
  readonly #endedFrontends = new WeakMap<Session, { hasBegun: boolean; end?: FrontendEnd | undefined }>()
  readonly #ends = new FrontendEnds()
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
    const { label, linkId, limitLabel } = added
    const name = label ?? 'host'
    const onResourceError = (err: unknown): void =>
      getLog().error({ label: name, err }, 'a resource could not be closed')
    const resources = new ResourceTable(onResourceError, label, () => session.addUp(countResources))
    const denials = new Throttle<readonly [string, string]>(([command, hint], more) =>
      report({ type: 'denied', label: name, command, hint, more }),
    )
    const slowCalls = new Throttle<readonly [string, number]>(([command, ms], more) =>
      report({ type: 'slow', label: name, command, ms, more }),
    )
    const warnings = new Throttle<readonly [string, object | undefined]>(([text, fields], more) =>
      getLog().warn({ label: name, ...fields }, formatSuppressed(text, more)),
    )
    const drops = new Throttle<undefined>((_, more) => report({ type: 'overload', label: name, dropped: more + 1 }), 1)
    const truncate = (command: string): string => command.slice(0, MAX_NAME_LENGTH)
    const closed = (): void => {
      this.#open.delete(session)
      if (peers?.delete(session) && peers.size === 0) this.#peers.delete(limitLabel!)
      for (const throttle of [denials, slowCalls, drops, warnings]) throttle.flush()
      const isLatest = label !== undefined && this.#byLabel.get(label) === session
      if (isLatest) this.#byLabel.delete(label)
      const closing = resources
        .closeAll(this.#resourcesAbort.signal)
        .finally(() => this.#closingResources.delete(closing))
      this.#closingResources.add(closing)
      if (label === undefined) return
      const ended = this.#endedFrontends.get(session)
      // The host explains the ends of its own links, unless it has replaced them.
      if (linkId !== undefined && isLatest && !ended) void this.#ends.rejectOnceExplained(label, session.frontendCalls)
      else rejectCalls(label, session.frontendCalls, ended?.end)
      added.ended()
      if (linkId !== undefined) report({ type: 'closed', label, id: linkId })
      if (ended?.hasBegun) emitDestroyed(router, label)
    }
    const events: SessionEvents = {
      denied: (command, hint) => denials.add([truncate(command), hint]),
      warned: (text, fields) => warnings.add([text, fields && { ...fields, command: truncate(fields.command) }]),
      slow: (command, ms) => slowCalls.add([truncate(command), ms]),
      fault: error => report({ type: 'fault', label: name, id: linkId, error: reportError(error) }),
      dropped: count => drops.add(undefined, count),
      closed,
    }
    const peers = limitLabel === undefined ? undefined : this.#getPeers(limitLabel)
    const session = new Session({ ...added, router, resources, peers, events })
    peers?.add(session)
    session.metrics.watch = this.#watch?.getCaller(name)
    this.#open.add(session)
    if (label !== undefined) {
      this.#ends.begin(label)
      this.#byLabel.set(label, session)
    }
    return session
  }

  #getPeers(limitLabel: string): Set<Session> {
    const peers = this.#peers.get(limitLabel) ?? new Set()
    this.#peers.set(limitLabel, peers)
    return peers
  }

  /** Calls a function that a frontend exposes. @throws {BusError} `Disconnected`; the function's own errors */
  async call(label: string, ...call: Parameters<FrontendCalls['call']>): Promise<unknown> {
    if (!this.#byLabel.has(label)) await this.#ends.explained(label)
    const session = this.#byLabel.get(label)
    if (session) return session.frontendCalls.call(...call)
    throw this.#ends.createError(String(label), this.#byLabel.keys())
  }

  /** Emits that a frontend's module begins to run. Its session can have ended already, because the two use different ports. */
  begin(label: string): void {
    emitCreated(this.#deps.router, label)
  }

  /**
   * Emits that a frontend has ended, once its session has.
   *
   * @param hasBegun - false if the others were never notified of the frontend
   * @param end - why, unless the host ended it
   */
  end(label: string, hasBegun: boolean, end?: FrontendEnd): void {
    this.#ends.explain(label, end)
    const session = this.#byLabel.get(label)
    if (session) this.#endedFrontends.set(session, { hasBegun, end })
    else if (hasBegun) emitDestroyed(this.#deps.router, label)
  }

  /** Updates the counts of all sessions. Returns a few of the running calls, and watches calls from now on, or not. */
  measure(watchCalls: boolean = this.#watch !== undefined): Measurement {
    if (watchCalls !== (this.#watch !== undefined)) {
      this.#watch = watchCalls ? new CallWatch() : undefined
      for (const session of this.#open) session.metrics.watch = this.#watch?.getCaller(session.name)
    }
    for (const session of this.#open) session.updateCounts()
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
        yield { call, label: call.label, command: getDisplayName(call).slice(0, MAX_NAME_LENGTH) }
      }
    }
  }

  /**
   * Reports calls that run for long, once each. Calls carry no start time, which would cost every call something. Instead all running
   * calls are polled ten times per limit: a call was running since the first poll that found it. Returns a function that stops it.
   */
  watchSlowCalls(slowAfterMs: number): () => void {
    let firstSeen = new Map<Call, number>()
    const reported = new WeakSet<Call>()
    const poll = (): void => {
      const now = performance.now()
      const running = new Map<Call, number>()
      for (const session of this.#open) {
        for (const call of session.calls.all) {
          if (isStream(call) || reported.has(call)) continue
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
    const timer = setInterval(poll, Math.max(MIN_POLL_MS, slowAfterMs / 10)).unref()
    return () => {
      clearInterval(timer)
      firstSeen = new Map()
    }
  }

  async drain(): Promise<void> {
    await Promise.all([...this.#open].map(session => session.drain()))
  }

  /** Closes the frontends' sessions and resources. Stops waiting when the signal aborts. */
  async closeFrontends(signal: AbortSignal): Promise<void> {
    const frontends = [...this.#open].filter(({ label }) => label !== undefined)
    for (const session of frontends) this.#endedFrontends.set(session, { hasBegun: true })
    this.#ends.close()
    const closed = Promise.all(frontends.map(session => session.close()))
    const aborted = signal.aborted ? Promise.resolve() : once(signal, 'abort')
    const stopped = aborted.then(() => this.#resourcesAbort.abort())
    await Promise.all([...this.#closingResources])
    await Promise.race([closed, stopped])
  }

  /** Closes all remaining sessions, the host's too. Resolves once their answers are sent. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map(session => session.close()))
  }
}
