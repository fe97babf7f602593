// A lane of a connection that has several, each to another core: it has links and a gate as a connection has that is its only one.
import { addLane, endLane, lastingClient, type Client } from '@sallyport/frontend/client'
import type { BusError, Link } from '@sallyport/protocol'
import type { Guest, GuestEvents } from './guest.js'
import { join, type ConnectionParts } from './guests.js'
import type { ConnectionSettings } from './options.js'
import type { WorkerStats } from './supervision.js'
import type { Supervision } from './supervision.js'

export interface LaneOptions {
  label: string
  /** Its own, unlike that of any other and of any frontend. */
  name: string
  settings: ConnectionSettings
  supervision: Supervision
  /** To which it is added; the first lane makes it. */
  client: Client | undefined
}

export interface Lane {
  readonly client: Client
  /** Resolves once it is gone for good, with what went wrong. The client may have others. */
  readonly gone: Promise<Error | undefined>
}

export interface LaneParts extends ConnectionParts {
  client: Client | undefined
}

export function makeLane(parts: LaneParts, told: GuestEvents): Guest {
  const { label, settings, timeout, deadlines, connected } = parts
  const { codec, data, window, overflow } = settings
  let { client } = parts
  let link: Link | undefined
  let isUp = true
  const end = (error?: Error): void => {
    if (!isUp) return
    isUp = false
    if (client && link) endLane(client, link, error as BusError | undefined)
    told.gone(error)
  }
  const watch = (its: Client): void => {
    void its.closed.then(() => end())
    connected(its)
  }
  return {
    get isUp() {
      return isUp
    },
    link(next, gate) {
      const opened = join(next, gate)
      if (client && link) endLane(client, link, undefined)
      if (client) addLane(client, opened)
      else client = lastingClient(opened, { label, codec, data, timeout, window, overflow, deadlines })
      if (!link) watch(client)
      link = opened
    },
    end,
    fail: end,
    get stats(): WorkerStats {
      return { state: isUp ? 'running' : 'stopped', restarts: 0 }
    },
    async stop() {
      end()
    },
  }
}
