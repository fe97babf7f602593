// Sends snapshots to the open pages by server-sent events. Fewer are sent if they take long, or to a page that does not read them.
import type { ServerResponse } from 'node:http'
import { describeThrown, type Heartbeat } from '@sallyport/protocol/internal'
import { getWorkerName } from '../supervision/policy.js'
import { type CoreSample, BlockedThreads } from './blocked-threads.js'
import { ClosedFrontends } from './closed-frontends.js'
import { FailureCounts, getCulprits } from './culprits.js'
import { RecentCalls } from './recent-calls.js'
import { RecentEvents } from './recent-events.js'
import {
  type BusView,
  getCommands,
  getFrontends,
  getSelected,
  getSummary,
  getUnwell,
  RunningTotals,
  type SnapshotSource,
} from './snapshot.js'

const MAX_PAGES = 8
const INTERVAL_MS = 250
/** Snapshots take at most one part in this many of the host's time. */
const MAX_TIME_SHARE = 200
/** A page that has read nothing for this long is disconnected. A working page reconnects. */
const STALLED_MS = 30_000
/** Delay before a browser reconnects. */
const RETRY_MS = 1000
/** Time without a page after which core no longer watches calls. A page that is loaded again keeps the counts. */
const RELEASE_MS = 10_000

export interface PageQuery {
  /** A part of the labels of the frontends to show. */
  find: string
  /** The frontend whose figures, calls and events are shown alone. */
  of: string | undefined
}

interface Page extends PageQuery {
  response: ServerResponse
  /** Versions of the recent events and calls that were sent. */
  eventsVersion: number
  callsVersion: number
  /** Time at which the page had read everything. */
  readAt: number
}

export class Feed {
  readonly #view: BusView
  readonly #recentEvents: RecentEvents
  readonly #recentCalls = new RecentCalls()
  readonly #closed: ClosedFrontends
  readonly #blocked: BlockedThreads
  readonly #failures = new FailureCounts()
  readonly #since = Date.now()
  readonly #totals = new RunningTotals()
  readonly #pages = new Set<Page>()
  #timer: NodeJS.Timeout | undefined
  #release: NodeJS.Timeout | undefined
  #isMeasuring = false
  #previousMs = 0
  /** Time at which the next snapshot is due. */
  #dueAt = Infinity

  constructor(view: BusView) {
    this.#view = view
    this.#recentEvents = new RecentEvents((name, listener) => view.on(name, listener))
    this.#closed = new ClosedFrontends((name, listener) => view.on(name, listener))
    this.#blocked = new BlockedThreads(block => this.#recentEvents.addBlock(block))
  }

  get isFull(): boolean {
    return this.#pages.size >= MAX_PAGES
  }

  add(response: ServerResponse, query: PageQuery): void {
    const page = { ...query, response, eventsVersion: 0, callsVersion: 0, readAt: performance.now() }
    this.#pages.add(page)
    response.on('close', () => this.#remove(page))
    response.on('error', () => {})
    response.write(`retry: ${RETRY_MS}\n\n`)
    clearTimeout(this.#release)
    if (this.#isMeasuring) return
    clearTimeout(this.#timer)
    this.#dueAt = Infinity
    this.#sendNext()
  }

  end(why: string): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#release)
    this.#recentEvents.end()
    this.#closed.end()
    for (const { response } of this.#pages) response.end(formatEvent('end', { why }))
    this.#pages.clear()
    this.#view.release()
  }

  #remove(page: Page): void {
    if (!this.#pages.delete(page) || this.#pages.size > 0) return
    clearTimeout(this.#release)
    this.#release = setTimeout(() => this.#view.release(), RELEASE_MS).unref()
  }

  /** An error ends the inspector, and nothing else. */
  #sendNext(): void {
    this.#send().catch((error: unknown) => this.end(`The inspector failed: ${describeThrown(error)}`))
  }

  async #send(): Promise<void> {
    this.#isMeasuring = true
    const askedAt = performance.now()
    const blockedHostMs = this.#view.isCoreInProcess ? askedAt - this.#dueAt : 0
    const measurement = await this.#view.measure()
    this.#isMeasuring = false
    if (this.#pages.size === 0) return
    const startedAt = performance.now()
    const source = this.#getSource({ measurement, askedAt, blockedHostMs })
    const summary = getSummary(source, this.#totals.update(source.stats))
    const commands = measurement?.watched?.commands
    const troubles = this.#recentEvents.lastMinute.get()
    const culprits = getCulprits({ troubles, frontends: getUnwell(source), commands: commands ?? [] })
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
          ...{ ...summary, ...culprits, ...getFrontends(source, find) },
          ...(of !== undefined && getSelected(source, of, slow)),
          ...(commands && { commands: getCommands(commands, of) }),
          ...(sendsCalls && { calls: this.#recentCalls.getLatest(of) }),
          ...(sendsEvents && { recent: lists }),
        })
        texts.set(key, text)
      }
      page.response.write(text)
    }
    const ms = performance.now() - startedAt
    // One of two can be long because the system gave this thread no time.
    const pause = Math.max(INTERVAL_MS, Math.min(ms, this.#previousMs) * MAX_TIME_SHARE)
    this.#previousMs = ms
    this.#dueAt = performance.now() + pause
    this.#timer = setTimeout(() => this.#sendNext(), pause).unref()
  }

  #getSource(sample: Omit<CoreSample, 'isRunning'>): SnapshotSource {
    const { measurement } = sample
    const stats = this.#view.getStats()
    const [bus, workerStatus] = [this.#view.getState(), this.#view.getWorkerStatuses()]
    if (measurement?.watched) {
      const { since, commands } = measurement.watched
      for (const failures of this.#failures.getNew(since, commands)) this.#recentEvents.lastMinute.add(failures)
      this.#recentCalls.add(measurement.watched)
    }
    const isRunning = bus === 'running' && stats.core.state === 'running'
    const blockedCore = this.#blocked.addCore({ ...sample, isRunning })
    const blockedFrontends = this.#blocked.addFrontends(getHeartbeats(Object.keys(stats.frontends), workerStatus))
    const source: SnapshotSource = {
      ...{ stats, bus, workerStatus, measurement, since: this.#since, blockedCore, blockedFrontends },
      getInfo: label => this.#view.getInfo(label),
      getDelay: label => this.#recentEvents.getDelay(label),
      closed: this.#closed.get(stats.frontends),
    }
    return source
  }

  /** Returns whether there are new events and new calls for a page. */
  #update(page: Page): [boolean, boolean] {
    const { version: eventsVersion } = this.#recentEvents
    const { version: callsVersion } = this.#recentCalls
    const isNew: [boolean, boolean] = [page.eventsVersion !== eventsVersion, page.callsVersion !== callsVersion]
    Object.assign(page, { eventsVersion, callsVersion })
    return isNew
  }
}

/** Returns the heartbeats of frontends that run, by label. */
function getHeartbeats(
  labels: readonly string[],
  workerStatus: SnapshotSource['workerStatus'],
): ReadonlyMap<string, Heartbeat> {
  const heartbeats = new Map<string, Heartbeat>()
  for (const label of labels) {
    const status = workerStatus.get(getWorkerName('frontend', label))
    if (status?.heartbeat && status.state === 'running') heartbeats.set(label, status.heartbeat)
  }
  return heartbeats
}

/** True once all that was written is in the system's buffers. */
function hasRead(page: Page, now: number): boolean {
  const isRead = page.response.writableLength === 0
  if (isRead) page.readAt = now
  else if (now - page.readAt > STALLED_MS) page.response.destroy()
  return isRead
}

const formatEvent = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
