// The page's side of the feed. It reconnects until the bus reports that it was closed.
import type { Snapshot } from '../../src/contract/views.js'

export type { Snapshot }

export type ShowSnapshot = (snapshot: Snapshot) => void

export type Connection =
  | { state: 'live' | 'paused' | 'lost' }
  /** The final state; `why` is shown. */
  | { state: 'ended'; why: string }

export interface FeedListeners {
  onSnapshot: ShowSnapshot
  onConnection(connection: Connection): void
}

export interface Feed {
  pause(isPaused: boolean): void
  find(text: string): void
  select(label: string | undefined): void
}

/** Delay before the next attempt if the server refuses: too many pages are open, or another inspector has the port. */
const REFUSED_MS = 3000

export function followFeed(token: string, { onSnapshot, onConnection }: FeedListeners): Feed {
  let find = ''
  let selected: string | undefined
  let isPaused = false
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const stop = (): void => {
    clearTimeout(timer)
    source?.close()
    source = undefined
  }
  const start = (): void => {
    stop()
    const query = new URLSearchParams({ token, ...(find && { find }), ...(selected !== undefined && { of: selected }) })
    source = new EventSource(`feed?${query}`)
    source.addEventListener('snapshot', ({ data }) => {
      onConnection({ state: 'live' })
      onSnapshot(JSON.parse(data as string) as Snapshot)
    })
    source.addEventListener('end', ({ data }) => {
      stop()
      onConnection({ state: 'ended', ...(JSON.parse(data as string) as { why: string }) })
    })
    source.addEventListener('error', () => {
      onConnection({ state: 'lost' })
      // The browser itself reconnects unless it was refused.
      if (source?.readyState === EventSource.CLOSED) timer = setTimeout(start, REFUSED_MS)
    })
  }
  start()
  return {
    pause(paused) {
      isPaused = paused
      if (!paused) return start()
      stop()
      onConnection({ state: 'paused' })
    },
    find(text) {
      find = text
      if (!isPaused) start()
    },
    select(label) {
      selected = label
      if (!isPaused) start()
    },
  }
}
