// Watches a bus as long as the inspector is open, and sends snapshots to the open pages by server-sent events. Fewer are sent if they take
// long, or to a page that does not read them.
import type { ServerResponse } from 'node:http'
import type { Heartbeat } from '@sallyport/protocol/internal/contract'
import { describeThrown } from '@sallyport/protocol/internal/errors'
import type { InspectedBus, WorkerStatus } from '@sallyport/core/internal'
import type { Measurement, Totals } from '../contract/views.js'
import { BlockedThreads, type CoreSample } from './blocked-threads.js'
import { countTroubles, RecentCalls, RecentEvents } from './recent.js'
import { FailureCounts, getCulprits } from './culprits.js'
import {
  getCommands,
  getFrontends,
  getSelected,
  getSummary,
  getUnwell,
  getWorkerName,
  type Growth,
  RunningTotals,
  type SnapshotSource,
} from './snapshot.js'

const MAX_PAGES = 8
const INTERVAL_MS = 250
/** Interval without a page. A core that does not answer is asked more often, so that the time for which it is blocked is known. */
const IDLE_INTERVAL_MS = 1000
/** Snapshots take at most one part in this many of the host's time. */
const MAX_TIME_SHARE = 200
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
  readonly #since = Date.now()
  readonly #totals = new RunningTotals()
  readonly #pages = new Set<Page>()
  #timer: NodeJS.Timeout | undefined
  #isMeasuring = false
  #isEnded = false
  #previousMs = 0
  #dueAt = Infinity

  /** @param editor - the URL of a place in an editor */
  constructor(bus: InspectedBus, editor: string) {
    this.#bus = bus
    this.#editor = editor
    this.#recentEvents = new RecentEvents((name, listener) => bus.on(name, listener))
    this.#blocked = new BlockedThreads(block => this.#recentEvents.addBlock(block))
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
    this.#previousMs = 0
    if (this.#isMeasuring || this.#isEnded) return
    clearTimeout(this.#timer)
    this.#dueAt = Infinity
    this.#sendNext()
  }

  end(why: string): void {
    this.#isEnded = true
    clearTimeout(this.#timer)
    this.#recentEvents.end()
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
    // One of two can be long because the system gave this thread no time.
    const interval = this.#pages.size > 0 || !measurement ? INTERVAL_MS : IDLE_INTERVAL_MS
    const pause = Math.max(interval, Math.min(ms, this.#previousMs) * MAX_TIME_SHARE)
    this.#previousMs = ms
    this.#dueAt = performance.now() + pause
    this.#timer = setTimeout(() => this.#sendNext(), pause).unref()
  }

  #sendSnapshots(source: SnapshotSource, totals: Totals, startedAt: number): void {
    const summary = getSummary(source, totals)
    const commands = source.measurement?.watched?.commands
    const troubles = this.#recentEvents.lastMinute.get()
    const culprits = getCulprits({
      troubles,
      frontends: getUnwell(source),
      commands: commands ?? [],
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
          ...{ ...summary, ...culprits, ...getFrontends(source, find), lastMinute: countTroubles(troubles, of) },
          ...(of !== undefined && getSelected(source, of, slow)),
          ...(commands && { commands: getCommands(commands, of) }),
          ...(sendsCalls && { calls: this.#recentCalls.getLatest(of) }),
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
    const heartbeats = getHeartbeats(Object.keys(stats.frontends), workerStatus)
    const hasError = (label: string): boolean => this.#bus.getInfo(label)?.error !== undefined
    const blockedFrontends = this.#blocked.addFrontends(heartbeats, hasError)
    return {
      ...{ stats, bus, workerStatus, measurement, since: this.#since, blockedCore, blockedFrontends },
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

function getHeartbeats(
  labels: readonly string[],
  workerStatus: ReadonlyMap<string, WorkerStatus>,
): ReadonlyMap<string, Heartbeat> {
  const heartbeats = new Map<string, Heartbeat>()
  for (const label of labels) {
    const status = workerStatus.get(getWorkerName(label))
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
