// The runtime of a frontend in the host's own thread: a connection, or one session of a connection that has several.
import {
  addConnection,
  type CallerContexts,
  callsSettled,
  type Client,
  createReconnectingClient,
  endClient,
  endConnection,
  reconnectClient,
} from '@sallyport/frontend/internal'
import type { BusError } from '@sallyport/protocol/internal/errors'
import { openLink } from '@sallyport/protocol/internal/link'
import type { Link } from '@sallyport/protocol/internal/wire'
import type { ConnectionConfig } from '../options/config.js'
import type { WorkerStats } from '../supervision/policy.js'
import type { ClientStart, FrontendHost, FrontendRuntime, PoolMember, RuntimeEvents } from './types.js'

export interface ConnectionDeps {
  label: string
  config: ConnectionConfig
  host: FrontendHost
  /** Set if the client has several sessions, each with another core, with links and a gate of its own. */
  member: PoolMember | undefined
  onConnected(client: Client): void
}

/** Creates a client in the host's own thread, or adds a session to one. Each further link replaces the previous one. */
export function createConnectionRuntime(deps: ConnectionDeps, events: RuntimeEvents): FrontendRuntime {
  const { label, config, host, member, onConnected } = deps
  let client = member?.client
  let link: Link | undefined
  let isUp = true
  const callers: CallerContexts | undefined = host.core.isInProcess ? new Map() : undefined
  const end = (error?: Error): void => {
    if (!isUp) return
    isUp = false
    if (client && !member) endClient(client, error as BusError | undefined)
    else if (client && link) endConnection(client, link, error as BusError | undefined)
    events.exited(error)
  }
  return {
    callers,
    get isUp() {
      return isUp
    },
    get stats(): WorkerStats {
      return { state: isUp ? 'running' : 'stopped', restarts: 0 }
    },
    connect(endpoint) {
      const previous = link
      link = openLink(endpoint, true)
      if (client && previous && member) endConnection(client, previous, undefined)
      const onUnsent = (): void => events.unsent(1)
      if (!client)
        client = createReconnectingClient(link, { ...getClientStart(label, config, host), onUnsent, callers })
      else if (member) addConnection(client, link)
      else return void reconnectClient(client, link)
      if (previous) return
      void client.closed.then(() => end())
      onConnected(client)
    },
    ask: setImmediate,
    dismiss: error => end(error),
    fail: end,
    async callsSettled() {
      if (client && !member) await callsSettled(client)
    },
    async stop() {
      if (!member) await client?.close()
      end()
    },
  }
}

export function getClientStart(label: string, config: ConnectionConfig, { options, core }: FrontendHost): ClientStart {
  const { codec, data, maxInFlight, overflow } = config
  const isolated = options.pattern === 'isolation'
  const { commandTimeout: timeout } = options.calls
  return { label, codec, data, isolated, timeout, maxInFlight, overflow, deadlines: core.isRemote }
}
