// Sends snapshots to the open pages by server-sent events. Fewer are sent if they take long, or to a page that does not read them.
import type { ServerResponse } from 'node:http'
import { describeThrown } from '@sallyport/protocol/internal'
import { RecentEvents } from './recent-events.js'
import { type BusView, getFrontends, getSummary, RunningTotals, type SnapshotSource } from './snapshot.js'

const MAX_PAGES = 8
const INTERVAL_MS = 250
/** Interval while core does not answer: each snapshot waits for its answer. */
const UNANSWERED_INTERVAL_MS = 1000
/** Snapshots take at most one part in this many of the host's time. */
const MAX_TIME_SHARE = 200
/** A page that has read nothing for this long is disconnected. A working page reconnects. */
const STALLED_MS = 30_000
/** Delay before a browser reconnects. */
const RETRY_MS = 1000

interface Page {
  response: ServerResponse
  find: string
  /** Version of the recent events that were sent. */
  version: number
  /** Time at which the page had read everything. */
  readAt: number
}

export class Feed {
  readonly #view: BusView
  readonly #recentEvents: RecentEvents
  readonly #since = Date.now()
  readonly #totals = new RunningTotals()
  readonly #pages = new Set<Page>()
  #timer: NodeJS.Timeout | undefined
  #isMeasuring = false
  #previousMs = 0

  constructor(view: BusView) {
    this.#view = view
    this.#recentEvents = new RecentEvents((name, listener) => view.on(name, listener))
  }

  get isFull(): boolean {
    return this.#pages.size >= MAX_PAGES
  }

  /** @param find - a part of the labels of the frontends to show */
  add(response: ServerResponse, find: string): void {
    const page = { response, find, version: 0, readAt: performance.now() }
    this.#pages.add(page)
    response.on('close', () => this.#pages.delete(page))
    response.on('error', () => {})
    response.write(`retry: ${RETRY_MS}\n\n`)
    if (this.#isMeasuring) return
    clearTimeout(this.#timer)
    this.#sendNext()
  }

  end(why: string): void {
    clearTimeout(this.#timer)
    this.#recentEvents.end()
    for (const { response } of this.#pages) response.end(formatEvent('end', { why }))
    this.#pages.clear()
  }

  /** An error ends the inspector, and nothing else. */
  #sendNext(): void {
    this.#send().catch((error: unknown) => this.end(`The inspector failed: ${describeThrown(error)}`))
  }

  async #send(): Promise<void> {
    this.#isMeasuring = true
    const measurement = await this.#view.measure()
    this.#isMeasuring = false
    if (this.#pages.size === 0) return
    const startedAt = performance.now()
    const stats = this.#view.getStats()
    const [bus, workerStatus] = [this.#view.getState(), this.#view.getWorkerStatuses()]
    const source: SnapshotSource = { stats, bus, workerStatus, measurement, since: this.#since }
    const summary = getSummary(source, this.#totals.update(stats))
    const { lists, version } = this.#recentEvents
    const texts = new Map<string, string>()
    for (const page of this.#pages) {
      if (!hasRead(page, startedAt)) continue
      const isCurrent = page.version === version
      page.version = version
      const key = `${isCurrent} ${page.find}`
      let text = texts.get(key)
      if (text === undefined) {
        const recent = isCurrent ? {} : { recent: lists }
        text = formatEvent('snapshot', { ...summary, ...getFrontends(source, page.find), ...recent })
        texts.set(key, text)
      }
      page.response.write(text)
    }
    const ms = performance.now() - startedAt
    // One of two can be long because the system gave this thread no time.
    const pause = Math.min(ms, this.#previousMs) * MAX_TIME_SHARE
    this.#previousMs = ms
    const interval = measurement ? INTERVAL_MS : UNANSWERED_INTERVAL_MS
    this.#timer = setTimeout(() => this.#sendNext(), Math.max(interval, pause)).unref()
  }
}

/** True once all that was written is in the system's buffers. */
function hasRead(page: Page, now: number): boolean {
  const isRead = page.response.writableLength === 0
  if (isRead) page.readAt = now
  else if (now - page.readAt > STALLED_MS) page.response.destroy()
  return isRead
}

const formatEvent = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
