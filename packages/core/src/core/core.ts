// The core itself: what its module defines, and the sessions that call it.
import { openLink, reportError } from '@sallyport/protocol'
import type { Logger } from 'pino'
import { type Authority, createAuthority, HOST_PERMITS } from '../acl/authority.js'
import { getPluginFiles } from '../acl/identifier.js'
import type { CoreDefinition, Plugin, PluginApi } from '../api/define.js'
import { ResourceTable } from '../api/resources.js'
import { markBuffers, movable } from '../api/transfer.js'
import {
  type Attachment,
  type CoreOptions,
  type CoreReport,
  type CoreWorkerData,
  HOST_METHOD,
  type NetworkStats,
  type RunningCall,
} from '../contract/control.js'
import type { Hub } from '../contract/network.js'
import { EventRouter } from '../events/router.js'
import { type JoinedNetwork, joinNetwork } from '../network/loader.js'
import { createHub, NetworkSessions } from '../network/sessions.js'
import { createPathResolver, surroundingsHere } from '../path/resolver.js'
import { createCoreCommands } from '../plugins/index.js'
import type { Call } from '../rpc/call.js'
import { ConfirmRequests } from '../rpc/confirm.js'
import { createQuotas } from '../rpc/quotas.js'
import { type CommandRegistry, createRegistry, type RunnableCommand } from '../rpc/registry.js'
import type { Session } from '../rpc/session.js'
import { type AddedSession, Sessions, type SessionsDeps } from '../rpc/sessions.js'
import { watchSlowCalls } from '../rpc/slow-calls.js'
import { createPool } from '../rpc/worker-pool.js'
import { SessionMetrics } from '../shared/metrics.js'
import { type AppDeps, createApp } from './create-app.js'
import { setupPlugins } from './lifecycle.js'

// What the host asks of core over its own link, as commands. Frontends do not have them: to them their names are unknown.

interface CapabilityArguments {
  capability?: unknown
  identifier?: unknown
  labels?: readonly string[]
}

function createHostCommands(authority: Authority, sessions: Sessions): RunnableCommand[] {
  const command = (method: string, run: (args: CapabilityArguments) => unknown): RunnableCommand => ({
    method,
    owner: 'core',
    allow: '',
    deny: '',
    run: run as RunnableCommand['run'],
  })
  return [
    {
      method: HOST_METHOD.call,
      owner: 'core',
      allow: '',
      deny: '',
      run: (args, call) => callFrontend(sessions, args, call),
    },
    command(HOST_METHOD.addCapability, ({ capability }) => {
      authority.add({ value: capability, from: 'bus.addCapability' })
      return authority.isRestricted
    }),
    command(HOST_METHOD.removeCapability, ({ identifier }) => {
      authority.remove(String(identifier))
      return authority.isRestricted
    }),
    command(HOST_METHOD.explain, ({ labels = [] }) => authority.explain(labels)),
  ]
}

/** Bytes pass through core without a copy, in both directions. */
async function callFrontend(sessions: Sessions, args: unknown, { request, signal }: Call): Promise<unknown> {
  const { label = '', name = '', traceparent, tracestate } = request.headers
  const context = traceparent === undefined ? undefined : { traceparent, tracestate }
  const result = await sessions.call(label, name, args, { signal, transfer: movable(args) }, context)
  return markBuffers(result, movable(result))
}

export interface Core {
  attach(attachment: Attachment): void
  /** Tells of a frontend that was attached, as its module begins to run. */
  begin(label: string): void
  /** Tells that a frontend is gone, once its session has ended. */
  end(label: string): void
  /** The host has answered what a command has asked. */
  answer(question: number, agreed: boolean): void
  /** Brings what can be read of each link up to date. Gives the calls that run, a few of them, and what the network tells. */
  measure(): { running: RunningCall[]; network: NetworkStats | undefined }
  /** Takes no further call; resolves once those that run have ended. */
  drain(): Promise<void>
  /**
   * Ends the frontends, tears down what was set up, and closes every link; resolves once what was answered has gone out.
   * Nothing that is closed or torn down is waited for longer than `patience` milliseconds, together.
   */
  close(patience?: number): Promise<void>
}

/** Milliseconds for what can be closed at once, where no time is left: a worker is ended from outside a little later. */
const LEAST_PATIENCE = 100
/** And where a core that can’t start is ended. */
const FAILED_START_MS = 1000

/** @throws BusError `InvalidParams` where the definition or a capability is wrong, and what a `setup` throws. */
export async function createCore(
  definition: CoreDefinition,
  {
    pattern,
    calls,
    maxRecordAge,
    acl,
    changes,
    appInfo,
    plugins,
    network,
    module,
  }: CoreOptions & Partial<CoreWorkerData>,
  getLog: () => Logger,
  report: (report: CoreReport) => void,
): Promise<Core> {
  const router = new EventRouter()
  const pool = createPool(getLog)
  const questions = new ConfirmRequests(report)
  const told = reportTo(report, label => quotas.closed(label))
  const sessions = new Sessions({ router, getLog, report: told })
  const resources = new ResourceTable({
    failed: error => getLog().error({ err: error }, 'a resource of the app could not be closed'),
  })
  const around = surroundingsHere(appInfo.identifier ?? '', module)
  const path = createPathResolver(around)
  const core = { router, appInfo, resources, path, platform: around.platform, labels: () => sessions.labels }
  const registry = createRegistry(definition, createCoreCommands(core), pool)
  const warn = (text: string): void => getLog().warn(text)
  const authority = createAuthority({
    acl,
    commands: registry.values(),
    pattern,
    pluginFiles: getPluginFiles(definition),
    warn,
  })
  if (changes) authority.restore(changes)
  const quotas = createQuotas(calls?.quotas ?? [], registry, getLog)
  const hostRegistry: CommandRegistry = new Map([...registry, ...createHostCommands(authority, sessions).map(named)])
  const call: AppDeps['call'] = (label, name, args, options) =>
    sessions.call(label, name, args, calls?.timeout === undefined ? options : { timeout: calls.timeout, ...options })
  const app = createApp({ call, router, getLog, resources, path })
  const keys = pattern === 'isolation' ? (await import('./session-keys.js')).createKeys(maxRecordAge) : undefined
  const apiOf = ({ name }: Plugin): PluginApi => ({
    name,
    config: Object.hasOwn(plugins, name) ? plugins[name] : undefined,
    scope: authority.getGlobalScope(name),
  })
  const tearDown = await setupPlugins(definition, app, apiOf, hurry => resources.closeAll(hurry))

  const stopWatching = calls?.slowAfter ? watchSlowCalls(() => sessions.open, calls.slowAfter) : undefined
  const admit = (given: Omit<AddedSession, 'permits' | 'registry' | 'app' | 'questions'>): Session =>
    sessions.add({
      ...given,
      permits: given.label === undefined ? HOST_PERMITS : authority.getPermits(given.label),
      registry: given.label === undefined ? hostRegistry : quotas.registryOf(given.label),
      app,
      questions,
    })
  const guests = new NetworkSessions({
    pattern,
    sessions,
    admit: ({ label, codec, link, opener }, meter, ended) =>
      admit({ id: undefined, label, codec, link, opener, meter, deadlines: true, ended }),
  })
  let joined: JoinedNetwork | undefined
  const close = async (patience: number): Promise<void> => {
    const until = performance.now() + patience
    guests.drain()
    const hurry = new AbortController()
    const timer = setTimeout(() => hurry.abort(), Math.max(patience, LEAST_PATIENCE))
    await sessions.closeFrontends(hurry.signal)
    await tearDown(hurry.signal)
    clearTimeout(timer)
    await joined?.close(Math.max(until - performance.now(), LEAST_PATIENCE))
    await sessions.close()
    await pool.close()
    stopWatching?.()
  }
  let closing: Promise<void> | undefined
  if (network) {
    const fault: Hub['fault'] = (label, error) => told.fault(label, undefined, error)
    const hub = createHub({ pattern, maxRecordAge, appInfo, sessions: guests, router, getLog, fault })
    joined = await joinNetwork(network, hub).catch(async (error: unknown) => {
      await close(FAILED_START_MS)
      throw error
    })
  }

  return {
    attach({ label, codec, end, id, runs, keyPort, meter, cipher }: Attachment): void {
      // A key port without keys throws: a session that was to be sealed never starts in clear.
      const opener = keyPort && keys!.handTo(keyPort, cipher)
      if (label !== undefined) guests.giveWay(label)
      admit({
        id,
        label,
        codec,
        link: openLink(end, false),
        opener,
        meter: new SessionMetrics(meter),
        deadlines: false,
      })
      if (runs && label !== undefined) sessions.begin(label)
    },
    begin: label => sessions.begin(label),
    end: label => sessions.end(label),
    answer: (question, agreed) => questions.answer(question, agreed),
    measure: () => ({ running: sessions.measure(), network: joined?.stats() }),
    async drain() {
      guests.drain()
      await Promise.all([joined?.drain(), sessions.drain()])
    },
    close: (patience = 0) => (closing ??= close(patience)),
  }
}

const named = (command: RunnableCommand): [string, RunnableCommand] => [command.method, command]

function reportTo(report: (report: CoreReport) => void, ended: (label: string) => void): SessionsDeps['report'] {
  return {
    denied(label, command, more) {
      report({ type: 'denied', label, command, more })
    },
    overload(label, dropped) {
      report({ type: 'overload', label, dropped })
    },
    slow(label, command, ms, more) {
      report({ type: 'slow', label, command, ms, more })
    },
    closed(label, id) {
      ended(label)
      if (id === undefined) return
      report({ type: 'closed', label, id })
    },
    fault(label, id, error) {
      report({ type: 'fault', label, id, error: reportError(error) })
    },
  }
}
