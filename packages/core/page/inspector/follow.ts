// The page's end of the feed. It comes back after whatever ended it, until the bus says that it was closed.
import type { Snapshot } from '../../src/host/inspector/snapshot.js'

export type { Snapshot }

export type Connection =
  | { state: 'live' | 'paused' | 'lost' }
  /** For good; `why` says what became of the bus. */
  | { state: 'ended'; why: string }

export interface Follower {
  told(snapshot: Snapshot): void
  connection(connection: Connection): void
}

export interface Feed {
  pause(isPaused: boolean): void
  /** What the labels of the frontends that are shown have in them. */
  find(text: string): void
}

/** Until the next try, where the server refused: it has pages enough, or is another by now. */
const REFUSED_MS = 3000

export function follow(token: string, { told, connection }: Follower): Feed {
  let wanted = ''
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
    const query = new URLSearchParams({ token, ...(wanted && { find: wanted }) })
    source = new EventSource(`feed?${query}`)
    source.addEventListener('snapshot', ({ data }) => {
      connection({ state: 'live' })
      told(JSON.parse(data as string) as Snapshot)
    })
    source.addEventListener('end', ({ data }) => {
      stop()
      connection({ state: 'ended', ...(JSON.parse(data as string) as { why: string }) })
    })
    source.addEventListener('error', () => {
      connection({ state: 'lost' })
      // The browser tries again by itself, but where it was refused.
      if (source?.readyState === EventSource.CLOSED) timer = setTimeout(start, REFUSED_MS)
    })
  }
  start()
  return {
    pause(paused) {
      isPaused = paused
      if (!paused) return start()
      stop()
      connection({ state: 'paused' })
    },
    find(text) {
      wanted = text
      if (!isPaused) start()
    },
  }
}
