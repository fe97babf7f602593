// Watches a bus as long as the inspector is open, and sends snapshots to the open pages by server-sent events. Fewer are sent if they take
// long, or to a page that does not read them.
import { getWorkerName, later } from '@sallyport/protocol/internal/contract'
import type { ServerResponse } from 'node:http'
import { describeThrown } from '@sallyport/protocol/internal/errors'
import type { InspectedBus, WorkerStatus } from '@sallyport/core/internal'
import type { Measurement, Totals } from '../contract/views.js'
import { BlockedThreads, type CoreSample, type WatchedThread } from './blocked-threads.js'
import { countTroubles, RecentEvents } from './recent.js'
import { RecentCalls } from './recent-calls.js'
import { RunFailures } from './run-failures.js'
import { FailureCounts, getCulprits } from './culprits.js'
import { FloodWatch } from './flood-watch.js'
import {
  getCommands,
  getFrontends,
  getSelected,
  getSummary,
  getUnwell,
  type Growth,
  RunningTotals,
  type SnapshotSource,
} from './snapshot.js'

const MAX_PAGES = 8
const INTERVAL_MS = 250
/** Interval without a page. A core that does not answer is asked more often, so that the time for which it is blocked is known. */
const IDLE_INTERVAL_MS = 1000
/** Snapshots take at most one part in this many of the host's time, unless the next one would be late. */
const MAX_TIME_SHARE = 200
const MAX_INTERVAL_MS = 1000
/** The shortest of so many counts: the others can be long because the system gave this thread no time. */
const DURATIONS = 4
/** A page that has read nothing for this long is disconnected. A working page reconnects. */
const STALLED_MS = 30_000
const RETRY_MS = 1000

export interface PageQuery {
  find: string
  of: string | undefined
}

interface Page extends PageQuery {
  response: ServerResponse
  eventsVersion: number
  callsVersion: number
  readAt: number
}

export class Feed {
  readonly #bus: InspectedBus
  readonly #editor: string
  readonly #recentEvents: RecentEvents
  readonly #recentCalls = new RecentCalls()
  readonly #blocked: BlockedThreads
  readonly #failures = new FailureCounts()
  readonly #runs = new RunFailures()
  readonly #stopRuns: () => void
  readonly #since = Date.now()
  readonly #totals = new RunningTotals()
  readonly #floodWatch = new FloodWatch()
  readonly #pages = new Set<Page>()
  #endWait = (): void => {}
  #isMeasuring = false
  #isEnded = false
  /** Milliseconds of the latest snapshots. */
  #durations: number[] = []
  #dueAt = Infinity

  /** @param editor - the URL of a place in an editor */
  constructor(bus: InspectedBus, editor: string) {
    this.#bus = bus
    this.#editor = editor
    this.#recentEvents = new RecentEvents((name, listener) => bus.on(name, listener))
    this.#blocked = new BlockedThreads(block => this.#recentEvents.addBlock(block))
    this.#stopRuns = bus.on('runFailed', ({ label, reason: why, wasCalled }) => {
      if (wasCalled) {
        this.#runs.add(label, why)
        this.#recentCalls.explainRun(label, why)
      }
      this.#recentEvents.lastMinute.add({ kind: 'failures', label, what: `bus.run: ${why}`, why, where: '', count: 1 })
    })
    this.#sendNext()
  }

  get isFull(): boolean {
    return this.#pages.size >= MAX_PAGES
  }

  add(response: ServerResponse, query: PageQuery): void {
    const page = { ...query, response, eventsVersion: 0, callsVersion: 0, readAt: performance.now() }
    this.#pages.add(page)
    response.on('close', () => this.#pages.delete(page))
    response.on('error', () => {})
    response.write(`retry: ${RETRY_MS}\n\n`)
    // The first snapshots are slow because their code is new.
    this.#durations = []
    if (this.#isMeasuring || this.#isEnded) return
    this.#endWait()
    this.#dueAt = Infinity
    this.#sendNext()
  }

  end(why: string): void {
    this.#isEnded = true
    this.#endWait()
    this.#recentEvents.end()
    this.#stopRuns()
    for (const { response } of this.#pages) response.end(formatEvent('end', { why }))
    this.#pages.clear()
    this.#bus.release()
  }

  /** An error ends the inspector, and nothing else. */
  #sendNext(): void {
    this.#send().catch((error: unknown) => this.end(`The inspector failed: ${describeThrown(error)}`))
  }

  async #send(): Promise<void> {
    this.#isMeasuring = true
    const askedAt = performance.now()
    const lateMs = askedAt - this.#dueAt
    const measurement = (await this.#bus.measure()) as Measurement | undefined
    // A block can begin before the question or after it.
    const blockedHostMs = this.#bus.isCoreInProcess ? Math.max(lateMs, performance.now() - askedAt) : 0
    this.#isMeasuring = false
    if (this.#isEnded) return
    const startedAt = performance.now()
    const source = this.#getSource({ measurement, askedAt, blockedHostMs })
    const totals = this.#totals.update(source.stats, growth => this.#addGrowth(growth))
    if (this.#pages.size > 0) this.#sendSnapshots(source, totals, startedAt)
    const ms = performance.now() - startedAt
    const interval = this.#pages.size > 0 || !measurement ? INTERVAL_MS : IDLE_INTERVAL_MS
    const shortest = this.#durations.length < DURATIONS ? 0 : Math.min(ms, ...this.#durations)
    this.#durations = [ms, ...this.#durations.slice(0, DURATIONS - 1)]
    const pause = Math.max(interval, Math.min(shortest * MAX_TIME_SHARE, MAX_INTERVAL_MS))
    this.#dueAt = performance.now() + pause
    this.#endWait = later(pause, () => this.#sendNext())
  }

  #sendSnapshots(source: SnapshotSource, totals: Totals, startedAt: number): void {
    const summary = getSummary(source, totals)
    const { watched } = source.measurement ?? {}
    const commands = watched && this.#runs.explain(watched.since, watched.commands)
    const troubles = this.#recentEvents.lastMinute.get()
    const culprits = getCulprits({
      troubles,
      frontends: getUnwell(source),
      commands: commands ?? [],
      flood: source.flood,
      editor: this.#editor,
    })
    const texts = new Map<string, string>()
    for (const page of this.#pages) {
      if (!hasRead(page, startedAt)) continue
      const { find, of } = page
      const [sendsEvents, sendsCalls] = this.#update(page)
      const key = JSON.stringify([sendsEvents, sendsCalls, find, of])
      let text = texts.get(key)
      if (text === undefined) {
        const lists = this.#recentEvents.getLists(of)
        const slow = lists.troubles.reduce((sum, { kind, count }) => sum + (kind === 'slow' ? count : 0), 0)
        text = formatEvent('snapshot', {
          ...{ ...summary, ...culprits, ...getFrontends(source, find, culprits.culprits) },
          lastMinute: countTroubles(troubles, of),
          ...(of !== undefined && getSelected(source, of, slow)),
          ...(commands && { commands: getCommands(commands, of) }),
          ...(sendsCalls && { calls: this.#recentCalls.getLatest(commands ?? [], of) }),
          ...(sendsEvents && { recent: lists }),
        })
        texts.set(key, text)
      }
      page.response.write(text)
    }
  }

  /** Records what no event reports, or only once it is over. */
  #addGrowth({ label, unsent, dropped }: Growth): void {
    if (unsent > 0) this.#recentEvents.addRefusals(label, unsent)
    if (dropped > 0) this.#recentEvents.addDropped(label, dropped)
  }

  #getSource(sample: Omit<CoreSample, 'isRunning' | 'restarts'>): SnapshotSource {
    const { measurement } = sample
    const stats = this.#bus.getStats()
    const [bus, workerStatus] = [this.#bus.getState(), this.#bus.getWorkerStatuses()]
    if (measurement?.watched) {
      const { since, commands } = measurement.watched
      for (const failures of this.#failures.getNew(since, commands)) this.#recentEvents.lastMinute.add(failures)
      this.#recentCalls.add(measurement.watched)
    }
    const isRunning = bus === 'running' && stats.core.state === 'running'
    const blockedCore = this.#blocked.addCore({ ...sample, isRunning, restarts: stats.core.restarts })
    const threads = getThreads(Object.keys(stats.frontends), workerStatus)
    const hasError = (label: string): boolean => this.#bus.getInfo(label)?.error !== undefined
    const blockedFrontends = this.#blocked.addFrontends(threads, hasError)
    return {
      ...{ stats, bus, workerStatus, measurement, since: this.#since, blockedCore, blockedFrontends },
      flood: this.#floodWatch.update(stats, workerStatus),
      getInfo: label => this.#bus.getInfo(label),
      getDelay: label => this.#recentEvents.getDelay(label),
    }
  }

  #update(page: Page): [boolean, boolean] {
    const { version: eventsVersion } = this.#recentEvents
    const { version: callsVersion } = this.#recentCalls
    const isNew: [boolean, boolean] = [page.eventsVersion !== eventsVersion, page.callsVersion !== callsVersion]
    Object.assign(page, { eventsVersion, callsVersion })
    return isNew
  }
}

const ENDING: ReadonlySet<string> = new Set(['leaving', 'reloading', 'draining'])

function getThreads(
  labels: readonly string[],
  workerStatus: ReadonlyMap<string, WorkerStatus>,
): ReadonlyMap<string, WatchedThread> {
  const labelsByName = new Map(labels.map(label => [getWorkerName('frontend', label), label]))
  const threads = new Map<string, WatchedThread>()
  for (const [name, label] of labelsByName) {
    const { heartbeat, state = 'stopped', runs } = workerStatus.get(name) ?? {}
    const isEnding = ENDING.has(state)
    const other = runs === undefined || runs === name ? undefined : (labelsByName.get(runs) ?? null)
    // One that starts loads its modules.
    const isWatched = state === 'running' || isEnding || (state === 'starting' && typeof other === 'string')
    if (heartbeat && isWatched) threads.set(label, { heartbeat, isEnding, runs: other })
  }
  return threads
}

/** True once all that was written is in the system's buffers. */
function hasRead(page: Page, now: number): boolean {
  const isRead = page.response.writableLength === 0
  if (isRead) page.readAt = now
  else if (now - page.readAt > STALLED_MS) page.response.destroy()
  return isRead
}

const formatEvent = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
