// The pages that are open, each fed by server-sent events. One that does not read misses snapshots, which cost nothing then: none
// waits for it. The more a snapshot takes, the fewer there are.
import type { ServerResponse } from 'node:http'
import { describeThrown } from '@sallyport/protocol'
import { RecentEvents } from './recent-events.js'
import { getFrontends, type Seen, getSummary } from './snapshot.js'
import type { BusView } from './view.js'

/** Each has a connection, and is written to. */
const MAX_PAGES = 8
const EVERY_MS = 250
/** Where core does not answer there is less to see, and each look waits for it. */
const UNANSWERED_MS = 1000
/** Snapshots take at most one part in so many of the host's time. */
const REST = 200
/** A page that has read nothing for so long is given up; a living one comes back. */
const STALLED_MS = 30_000

interface Page {
  response: ServerResponse
  find: string
  /** Of the news that it has. */
  version: number
  /** When it last took all that was sent. */
  readAt: number
}

export class Feed {
  readonly #view: BusView
  readonly #happenings: RecentEvents
  readonly #since = Date.now()
  readonly #pages = new Set<Page>()
  #timer: NodeJS.Timeout | undefined
  #isLooking = false

  constructor(view: BusView) {
    this.#view = view
    this.#happenings = new RecentEvents((name, handler) => view.on(name, handler))
  }

  get isFull(): boolean {
    return this.#pages.size >= MAX_PAGES
  }

  /** @param find what the labels of the frontends that it is told of have in them */
  add(response: ServerResponse, find: string): void {
    const page = { response, find, version: 0, readAt: performance.now() }
    this.#pages.add(page)
    response.on('close', () => this.#pages.delete(page))
    response.on('error', () => {})
    // How soon a browser tries again, in milliseconds.
    response.write('retry: 1000\n\n')
    if (this.#isLooking) return
    clearTimeout(this.#timer)
    this.#next()
  }

  end(why: string): void {
    clearTimeout(this.#timer)
    this.#happenings.end()
    for (const { response } of this.#pages) response.end(message('end', { why }))
    this.#pages.clear()
  }

  /** Whoever looks ends nothing but the look. */
  #next(): void {
    this.#tell().catch((error: unknown) => this.end(`The inspector has failed: ${describeThrown(error)}`))
  }

  async #tell(): Promise<void> {
    this.#isLooking = true
    const answers = await this.#view.measure()
    this.#isLooking = false
    if (this.#pages.size === 0) return
    const began = performance.now()
    const { stats, state: bus, sights } = this.#view
    const seen: Seen = { stats, bus, sights, answers, since: this.#since }
    const summary = getSummary(seen)
    const { news, version } = this.#happenings
    const texts = new Map<string, string>()
    for (const page of this.#pages) {
      if (!hasRead(page, began)) continue
      const { find } = page
      const isNews = page.version !== version
      page.version = version
      const key = `${isNews} ${find}`
      const text =
        texts.get(key) ?? message('snapshot', { ...summary, ...getFrontends(seen, find), ...(isNews && { news }) })
      texts.set(key, text)
      page.response.write(text)
    }
    const rest = (performance.now() - began) * REST
    this.#timer = setTimeout(() => this.#next(), Math.max(answers ? EVERY_MS : UNANSWERED_MS, rest)).unref()
  }
}

/** What was written before has gone to the system, which keeps some of it. */
function hasRead(page: Page, now: number): boolean {
  if (page.response.writableLength === 0) {
    page.readAt = now
    return true
  }
  if (now - page.readAt > STALLED_MS) page.response.destroy()
  return false
}

const message = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
