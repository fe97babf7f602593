// What frontends run in: a worker, which waits for its first link before it loads its module, or the thread of the host.
import { endClient, lastingClient, relinkClient, throughGate, type Client } from '@sallyport/frontend/client'
import {
  type BusError,
  openLink,
  type FrontendCommand,
  type FrontendStart,
  type Link,
  type LinkEnd,
  type StrayReadReport,
} from '@sallyport/protocol'
import { explainSyntax } from './dev/explain-syntax.js'
import type { FrontendHost } from './frontend.js'
import { spawnFrontend } from './frontend-worker.js'
import type { Guest, GuestEvents } from './guest.js'
import type { ConnectionSettings, FrontendSettings } from './options.js'
import type { WorkerStats } from './supervision.js'
import type { Supervision } from './supervision.js'

export interface WorkerParts {
  label: string
  module: URL
  settings: FrontendSettings
  supervision: Supervision
  host: FrontendHost
  /** Its first thread has loaded what it is made of, and its sandbox holds. */
  booted(): void
  /** Node lets it read what nobody granted. */
  strayed(folder: string): void
}

/** A relay kills its process, and ends by itself: what ends after it stays in the table of processes. */
const RELAY_GRACE_MS = 10_000

export function startWorker(parts: WorkerParts, told: GuestEvents): Guest {
  const { label, module, settings, supervision, host, booted, strayed } = parts
  const { codec, data, sandbox, window, overflow } = settings
  const isProcess = typeof sandbox === 'object' && sandbox.kind === 'process'
  const isolated = host.options.pattern === 'isolation'
  const { supervisor, log, teller } = host
  const { dev, calls } = host.options
  const { timeout } = calls
  const start: FrontendStart = {
    label,
    codec,
    data,
    timeout,
    window,
    overflow,
    module: module.href,
    deadlines: host.core.isFar,
    ...(dev && { sourceMaps: true }),
  }
  let linked = false
  let reported = false
  const thread = supervisor.start({
    name: `frontend ${label}`,
    supervision,
    waits: dev,
    ...(isProcess && { grace: RELAY_GRACE_MS }),
    spawn: heartbeat =>
      spawnFrontend({ ...start, heartbeat }, settings, isolated, log, dev, host.options.workers.frontend),
    ...(dev && { explain: error => explainSyntax(error, module) }),
    onState(state) {
      log.debug({ actor: 'frontend', label, state }, 'state')
      if (state === 'handshaking') booted()
    },
    onReport(report) {
      // It comes from the worker's boot, before any code of the frontend's. Later ones may be lies.
      const { type, folder } = (report ?? {}) as Partial<StrayReadReport>
      if (type === 'stray-read' && typeof folder === 'string' && !reported) strayed(folder)
      reported = true
    },
    onUp() {
      linked = false
      told.up()
    },
    onDown(restart) {
      told.down()
      teller.down('frontend', label, restart)
    },
    onUnended: () => teller.unended('frontend', label),
  })
  void thread.exited.then(exit => {
    told.gone(exit.error)
    teller.gone('frontend', label, exit)
  })
  return {
    get isUp() {
      return thread.isUp
    },
    link(link, gate) {
      if (linked && isProcess) {
        link.port.close()
        gate?.port.close()
        // Its pipes can't be joined to another link. It has not failed: what has, or was reloaded, counts for itself.
        return void thread.reload().catch(() => {})
      }
      linked = true
      const command: FrontendCommand = { type: 'link', link, ...(gate && { gate }) }
      thread.post(command, gate ? [link.port, gate.port] : [link.port])
    },
    end: error => thread.dismiss(error),
    fail: error => thread.fail(error),
    reload: () => thread.reload(),
    stop: () => thread.stop(0),
    get stats() {
      return thread.stats
    },
  }
}

export interface ConnectionParts {
  label: string
  settings: ConnectionSettings
  timeout: number | undefined
  deadlines: boolean
  /** With the first link. */
  connected(client: Client): void
}

export function makeConnection(parts: ConnectionParts, told: GuestEvents): Guest {
  const { label, settings, timeout, deadlines, connected } = parts
  const { codec, data, window, overflow } = settings
  let client: Client | undefined
  let isUp = true
  const gone = (error?: Error): void => {
    if (isUp) told.gone(error)
    isUp = false
  }
  const end = (error?: BusError): void => {
    if (client) endClient(client, error)
    else gone(error)
  }
  return {
    get isUp() {
      return isUp
    },
    link(link, gate) {
      const opened = join(link, gate)
      if (client) return void relinkClient(client, opened)
      client = lastingClient(opened, { label, codec, data, timeout, window, overflow, deadlines })
      void client.closed.then(() => gone())
      connected(client)
    },
    end: error => end(error as BusError),
    fail: error => end(error as BusError),
    get stats(): WorkerStats {
      return { state: isUp ? 'running' : 'stopped', restarts: 0 }
    },
    async stop() {
      if (client) await client.close()
      else end()
    },
  }
}

export function join(end: LinkEnd, gate: LinkEnd | undefined): Link {
  const core = openLink(end, true)
  return gate ? throughGate(core, openLink(gate, true)) : core
}
