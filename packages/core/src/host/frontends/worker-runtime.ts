// What frontends run in: a worker, which waits for its first link before it loads its module, or the thread of the host.
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { serialize } from 'node:v8'
import type { ResourceLimits, Worker } from 'node:worker_threads'
import {
  addConnection,
  type Client,
  endClient,
  endConnection,
  createReconnectingClient,
  reconnectClient,
  throughGate,
} from '@sallyport/frontend/client'
import {
  type BusError,
  type FrontendCommand,
  type FrontendProcessStart,
  type FrontendStart,
  type FrontendWorkerData,
  type Link,
  type LinkEndpoint,
  openLink,
  type UnexpectedReadReport,
} from '@sallyport/protocol'
import type { RelayData } from '../../relay/messages.js'
import type {
  ConnectionSettings,
  FrontendSettings,
  PermissionSettings,
  ProcessSettings,
  SesSettings,
} from '../options/types.js'
import type { Logger } from '../reporting/log.js'
import { getWorkerName, type SupervisionConfig, type WorkerStats } from '../supervision/policy.js'
import { boundedLog, pipeToHost, pipeToLog, labelOutput } from '../workers/output.js'
import { getFlags, realModule } from '../workers/read-grants.js'
import { MODEL, getFrontendGrants, getScriptGrants, spawnSandboxed, getUnexpectedRead } from '../workers/sandbox.js'
import { type Entry, findEntry, spawnWorker, type WorkerMaker } from '../workers/spawn.js'
import { explainSyntax } from '../workers/syntax-errors.js'
import type { FrontendHost } from './frontend.js'
import type { FrontendRuntime, RuntimeEvents } from './types.js'

// Starts the relay of a frontend that runs in a process of its own, under the same permission model as a worker would be.

/** @throws BusError `InvalidParams` for a place that can't be granted, and what `new Worker` throws */
function spawnFrontendProcess(data: FrontendWorkerData, sandbox: ProcessSettings, isolated: boolean): Worker {
  const { heartbeat, ...frontend } = data
  const { read, resourceLimits, memory, cpu } = sandbox
  const entry = findEntry('@sallyport/frontend/process')
  const module = realModule(data.module)
  const start: FrontendProcessStart = {
    ...frontend,
    module: module.href,
    // In an empty folder there is nothing to stray to.
    sandbox: { stray: undefined, strict: false },
    isolated,
  }
  const flags = [...MODEL, ...getFlags(getFrontendGrants(entry, module, read)), ...getV8Flags(resourceLimits)]
  const relayData: RelayData = {
    args: [...flags, fileURLToPath(entry)],
    temporary: tmpdir(),
    start: serialize(start),
    isolated,
    heartbeat,
    limits: { memory, cpu },
  }
  return spawnWorker(findEntry('#relay'), relayData, [], { env: {}, stdout: true, stderr: true })
}

/** A young generation is three semi-spaces, as V8 counts them; a stack's last part is Node's own. */
function getV8Flags(limits: ResourceLimits = {}): string[] {
  const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young, stackSizeMb: stack } = limits
  return [
    ...(old === undefined ? [] : [`--max-old-space-size=${Math.ceil(old)}`]),
    ...(young === undefined ? [] : [`--max-semi-space-size=${Math.ceil(young / 3)}`]),
    ...(stack === undefined ? [] : [`--stack-size=${Math.max(64, Math.floor(stack * 1024) - 192)}`]),
  ]
}

// Starts the worker of a frontend, in the sandbox that was asked for; for a process, that is its relay.

/**
 * @param isolated it has a gate
 * @param dev what it prints goes to the host's own output, labelled
 * @throws BusError `InvalidParams` for a place that can't be granted, and what `new Worker` throws
 */
function spawnFrontend(
  data: FrontendWorkerData,
  settings: FrontendSettings,
  isolated: boolean,
  log: Logger,
  dev: boolean,
  maker: WorkerMaker | undefined,
): Worker {
  const { sandbox, onStdio } = settings
  const entry = maker ?? findEntry('@sallyport/frontend/worker')
  const isTrusted = sandbox === 'none'
  const worker = isTrusted
    ? spawnWorker(entry, data, [], onStdio || dev ? { stdout: true, stderr: true } : {})
    : sandbox.kind === 'process'
      ? spawnFrontendProcess(data, sandbox, isolated)
      : spawnSandboxed({ entry, transferList: [], ...permitted(entry, data, sandbox) })
  if (onStdio) pipeToHost(worker, data.label, onStdio)
  else if (dev) labelOutput(worker, data.label)
  else if (!isTrusted) {
    const lines = boundedLog(log, { actor: 'frontend', label: data.label })
    pipeToLog(worker, lines)
    worker.once('exit', () => lines.flush())
  }
  return worker
}

function permitted(entry: Entry, data: FrontendWorkerData, sandbox: PermissionSettings | SesSettings) {
  const module = realModule(data.module)
  const runner = sandbox.kind === 'ses' ? findEntry('@sallyport/isolation/script') : undefined
  const reads =
    runner === undefined
      ? getFrontendGrants(entry, module, sandbox.kind === 'permission' ? sandbox.read : [])
      : getScriptGrants(entry, runner, module)
  const workerData: FrontendWorkerData = {
    ...data,
    module: module.href,
    sandbox: { stray: getUnexpectedRead(reads), strict: sandbox.kind === 'permission' && sandbox.strict },
    ...(runner !== undefined && { runner }),
  }
  return { workerData, reads, resourceLimits: sandbox.resourceLimits }
}

export interface WorkerDeps {
  label: string
  module: URL
  settings: FrontendSettings
  supervision: SupervisionConfig
  host: FrontendHost
  /** Its first thread has loaded what it is made of, and its sandbox holds. */
  booted(): void
  /** Node lets it read what nobody granted. */
  strayed(folder: string): void
}

/** A relay kills its process, and ends by itself: what ends after it stays in the table of processes. */
const RELAY_GRACE_MS = 10_000

export function startWorker(parts: WorkerDeps, told: RuntimeEvents): FrontendRuntime {
  const { label, module, settings, supervision, host, booted, strayed } = parts
  const { codec, data, sandbox, window, overflow } = settings
  const isProcess = typeof sandbox === 'object' && sandbox.kind === 'process'
  const isolated = host.options.pattern === 'isolation'
  const { supervisor, log, reporter } = host
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
    name: getWorkerName('frontend', label),
    supervision,
    waitsAfterError: dev,
    ...(isProcess && { stopTimeout: RELAY_GRACE_MS }),
    spawn: heartbeat =>
      spawnFrontend({ ...start, heartbeat }, settings, isolated, log, dev, host.options.workers.frontend),
    ...(dev && { explainError: (error, signal) => explainSyntax(error, module, signal) }),
    onState(state) {
      log.debug({ actor: 'frontend', label, state }, 'state')
      if (state === 'handshaking') booted()
    },
    onReport(report) {
      // It comes from the worker's boot, before any code of the frontend's. Later ones may be lies.
      const { type, folder } = (report ?? {}) as Partial<UnexpectedReadReport>
      if (type === 'stray-read' && typeof folder === 'string' && !reported) strayed(folder)
      reported = true
    },
    onRestarted() {
      linked = false
      told.up()
    },
    onStopped(restart) {
      told.down()
      reporter.reportRestart('frontend', label, restart)
    },
    onKilled: () => reporter.reportStopTimeout('frontend', label),
  })
  void thread.exited.then(exit => {
    told.gone(exit.error)
    reporter.reportExit('frontend', label, exit)
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

export interface ConnectionDeps {
  label: string
  settings: ConnectionSettings
  timeout: number | undefined
  deadlines: boolean
  /** With the first link. */
  connected(client: Client): void
}

export function makeConnection(parts: ConnectionDeps, told: RuntimeEvents): FrontendRuntime {
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
      if (client) return void reconnectClient(client, opened)
      client = createReconnectingClient(opened, { label, codec, data, timeout, window, overflow, deadlines })
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

function join(end: LinkEndpoint, gate: LinkEndpoint | undefined): Link {
  const core = openLink(end, true)
  return gate ? throughGate(core, openLink(gate, true)) : core
}

// A lane of a connection that has several, each to another core: it has links and a gate as a connection has that is its only one.

export interface PooledSessionOptions {
  label: string
  /** Its own, unlike that of any other and of any frontend. */
  name: string
  settings: ConnectionSettings
  supervision: SupervisionConfig
  /** To which it is added; the first lane makes it. */
  client: Client | undefined
}

export interface PooledSession {
  readonly client: Client
  /** Resolves once it is gone for good, with what went wrong. The client may have others. */
  readonly gone: Promise<Error | undefined>
}

export interface PooledSessionDeps extends ConnectionDeps {
  client: Client | undefined
}

export function createPooledSession(parts: PooledSessionDeps, told: RuntimeEvents): FrontendRuntime {
  const { label, settings, timeout, deadlines, connected } = parts
  const { codec, data, window, overflow } = settings
  let { client } = parts
  let link: Link | undefined
  let isUp = true
  const end = (error?: Error): void => {
    if (!isUp) return
    isUp = false
    if (client && link) endConnection(client, link, error as BusError | undefined)
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
      if (client && link) endConnection(client, link, undefined)
      if (client) addConnection(client, opened)
      else client = createReconnectingClient(opened, { label, codec, data, timeout, window, overflow, deadlines })
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
