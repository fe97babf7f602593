// The runtime of a frontend that has a worker: its thread, or the relay of its process.
import { readFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { ResourceLimits } from 'node:worker_threads'
import {
  BusError,
  closeEndpoint,
  getPorts,
  isDevelopment,
  PROCESS_PIPES,
  serializeValue,
  Throttle,
} from '@sallyport/protocol/internal'
import type { FrontendCommand, FrontendStart, FrontendWorkerData, LinkEndpoint } from '@sallyport/protocol/internal'
import type { RelayData } from '../../contract/host-relay.js'
import type { Launch, Launcher, LaunchInfo } from '../../launchers/launcher.js'
import { type FrontendConfig, isProcess, type ProcessConfig, type SandboxConfig } from '../options/resolve.js'
import { getWorkerName } from '../supervision/policy.js'
import type { ThreadHandle } from '../supervision/worker-actor.js'
import { type OutputSource, pipeOutput, pipeToHost } from '../workers/output.js'
import {
  getFlags,
  getFrontendGrants,
  getNetFlags,
  getScriptGrants,
  getUnexpectedRead,
  MODEL,
  realModule,
  spawnSandboxed,
  TEXT_FLAGS,
} from '../workers/sandbox.js'
import type { SharedThreads, ThreadGroup } from '../workers/shared-threads.js'
import { type Entry, findEntry, spawnWorker } from '../workers/spawn.js'
import { explainSyntax } from '../workers/syntax-errors.js'
import { isNeighborFault, type Tenant } from '../workers/tenant.js'
import { getClientStart } from './connection-runtime.js'
import { ModuleLoad } from './module-load.js'
import { describeEnd } from './runtime-end.js'
import type { FrontendHost, FrontendRuntime, RuntimeEvents } from './types.js'

export interface WorkerRuntimeDeps {
  label: string
  module: URL
  config: FrontendConfig
  host: FrontendHost
}

export interface WorkerRuntime extends FrontendRuntime {
  /** The load of the module by the current thread. */
  readonly load: ModuleLoad
}

/** A relay kills its process and then exits by itself: a process that exits after its relay stays in the process table. */
const RELAY_STOP_TIMEOUT_MS = 10_000

/** Starts a worker, which loads its module with the first link. */
export function createWorkerRuntime(deps: WorkerRuntimeDeps, events: RuntimeEvents): WorkerRuntime {
  const { label, module, config, host } = deps
  const { supervisor, log, reporter, options } = host
  const { dev } = options
  const hasProcess = isProcess(config.sandbox)
  const start: FrontendStart = {
    ...getClientStart(label, config, host),
    module: module.href,
    text: config.text,
    development: isDevelopment(),
    ...(dev && { sourceMaps: true }),
  }
  let link: LinkEndpoint | undefined
  /** Closes the link that the worker had. */
  const closeLink = (): void => {
    if (link) closeEndpoint(link)
    link = undefined
  }
  let load!: ModuleLoad
  let firstLoad: ModuleLoad | undefined
  let isFinalReload = false
  let isClosed = false
  let hasReported = false
  const droppedOutput = new Throttle<undefined>((_, more) => {
    const text = 'Output dropped: the frontend printed faster than the host could take it. Print less.'
    log.warn({ label, characters: more + 1 }, text)
  }, 1)
  const worker = supervisor.start({
    name: getWorkerName('frontend', label),
    supervision: config.supervision,
    waitsAfterError: dev && !config.runsOnce,
    isOpening: () => load.isOpening,
    chargeExit: isNeighborFault,
    endsWithItsCalls: true,
    ...(hasProcess && { stopTimeout: RELAY_STOP_TIMEOUT_MS }),
    spawn(heartbeat) {
      // A reload can replace a thread that is still loading.
      if (!firstLoad || load.isOver) load = new ModuleLoad(config.loaded && (!firstLoad || isFinalReload))
      firstLoad ??= load
      isFinalReload = false
      return spawnFrontend({ ...start, heartbeat }, config, host)
    },
    // Outside `dev`, an error of a module that has been loaded is not one of its syntax.
    explainError: (error, signal) => (load.isOver && !dev ? undefined : explainSyntax(error, module, signal)),
    onState(state) {
      log.debug({ worker: 'frontend', label, state }, 'state')
      if (state === 'handshaking') load.reach('booted')
    },
    onReport(report) {
      // Only the first report is sent before the frontend's own code runs. Later ones can be forged.
      const { type, directory, characters } = (report ?? {}) as Record<string, unknown>
      if (type === 'loaded' || type === 'synchronized') return load.reach(type)
      if (type === 'output-dropped' && isCount(characters)) droppedOutput.add(undefined, characters)
      if (type === 'unexpected-read' && typeof directory === 'string' && !hasReported) {
        const message =
          'Node lets this frontend read everything below the working directory. Start the host in an empty directory.'
        log.warn({ label, directory }, message)
      }
      hasReported = true
    },
    onRestarted: events.restarted,
    onStopped(restart) {
      closeLink()
      // A load that is not over goes on in the next thread.
      if (restart || load.isOver) load.fail(restart?.error)
      events.stopped(!restart, restart && describeEnd(label, restart.error))
      reporter.reportRestart('frontend', label, restart)
    },
    onKilled: () => reporter.reportStopTimeout('frontend', label),
  })
  void worker.exited.then(exit => {
    const { error, code } = exit
    closeLink()
    load.fail(error)
    events.exited(error, isClosed ? undefined : describeEnd(label, error, code))
    // The caller of `open` gets the error of the first start, and that of `run` each.
    if (config.runsOnce || (load === firstLoad && load.isOpening)) return
    reporter.reportExit('frontend', label, exit)
    const isExpected = isClosed || (!error && supervisor.state === 'draining')
    if (!isExpected) reporter.reportEnd(label, error, code)
  })
  /** A process's pipe cannot be connected to another link. Its replacement does not count as a failure. */
  const replace = (): void => void worker.reload().catch(() => {})
  const reload = async (): Promise<void> => {
    // In `dev`, a module that fails waits for a change of its files.
    isFinalReload = !dev
    await worker.reload()
    if (config.loaded) await load.wait(label, config.loadTimeout, log)
  }
  return {
    get isUp() {
      return worker.isUp
    },
    get load() {
      return load
    },
    get stats() {
      return worker.stats
    },
    connect(next) {
      if (link && hasProcess) {
        closeEndpoint(next)
        return replace()
      }
      link = next
      worker.post({ type: 'link', link, scripts: host.core.scripts } satisfies FrontendCommand, getPorts(link))
    },
    dismiss: error => worker.dismiss(error),
    fail: error => worker.fail(error),
    replace,
    ...(!config.runsOnce && { reload }),
    stop() {
      isClosed = true
      return worker.stop(0)
    },
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0

/** Starts the worker of a frontend in its sandbox; for a process, the worker is its relay. */
function spawnFrontend(
  data: FrontendWorkerData,
  { sandbox, launcher, onStdio }: FrontendConfig,
  { options, log, sharedThreads }: FrontendHost,
): ThreadHandle {
  const entry = options.workers.frontend ?? findEntry('@sallyport/frontend/worker')
  const worker: ThreadHandle & OutputSource =
    sandbox.kind === 'none'
      ? spawnWorker(entry, data, [], { stdout: true, stderr: true })
      : isProcess(sandbox)
        ? startRelay(data, sandbox, launcher, sharedThreads)
        : sandbox.kind === 'ses' && sandbox.group !== undefined
          ? startGroupMember(entry, data, { ...sandbox, group: sandbox.group }, sharedThreads)
          : spawnSandboxed({ entry, ...getSandboxOptions(entry, data, sandbox) })
  if (onStdio) pipeToHost(worker, data.label, onStdio)
  else pipeOutput(worker, { worker: 'frontend', label: data.label }, log, options.log)
  return worker
}

/** Returns what a thread or process loads, what it reads for that, and the flags that it needs. */
function getCode(
  entry: Entry,
  data: FrontendWorkerData,
  sandbox: Exclude<FrontendConfig['sandbox'], { kind: 'none' }>,
) {
  const module = realModule(data.module, !data.text)
  if (sandbox.kind !== 'ses') {
    const flags = data.text ? TEXT_FLAGS : []
    return { code: { module: module.href }, reads: getFrontendGrants(entry, module, sandbox.read), flags }
  }
  const runner = findEntry('@sallyport/isolation/internal/script')
  const reads = getScriptGrants(entry, runner, data.text || data.script !== undefined ? undefined : module)
  return { code: { module: module.href, runner }, reads, flags: [] }
}

function getSandboxOptions(entry: Entry, data: FrontendWorkerData, sandbox: SandboxConfig<'permission' | 'ses'>) {
  const { code, reads, flags } = getCode(entry, data, sandbox)
  const workerData: FrontendWorkerData = {
    ...{ ...data, ...code },
    sandbox: { unexpectedRead: getUnexpectedRead(reads), strict: sandbox.kind === 'permission' && sandbox.strict },
  }
  const net = sandbox.kind === 'permission' && sandbox.net
  return { workerData, reads, net, flags, resourceLimits: sandbox.resourceLimits }
}

/** Starts a script in the thread of its group. The thread can read no script: which ones follow is not known when it starts. */
function startGroupMember(
  entry: Entry,
  data: FrontendWorkerData,
  { group, resourceLimits }: SandboxConfig<'ses'> & { group: string },
  threads: SharedThreads,
): Tenant {
  const { workerData, reads } = getSandboxOptions(entry, { ...data, script: readScript(data) }, { kind: 'ses' })
  const thread: ThreadGroup = {
    name: `group ${JSON.stringify(group)}`,
    size: 1,
    limits: resourceLimits,
    spawn: () => spawnSandboxed({ entry, reads, resourceLimits }),
  }
  return threads.open(thread, getWorkerName('frontend', data.label), workerData)
}

/** Reads the file of a script, with each start. @throws {BusError} InvalidParams */
function readScript({ module, text }: FrontendWorkerData): string | undefined {
  if (text || !module.startsWith('file:')) return undefined
  try {
    return readFileSync(new URL(module), 'utf8')
  } catch (cause) {
    const message = `Frontend script ${fileURLToPath(module)}: it cannot be read: ${(cause as Error).message}`
    throw new BusError('InvalidParams', message, { cause })
  }
}

/** The threads of all relays of a host. A relay runs no code of a frontend. */
const RELAYS: ThreadGroup = {
  name: 'relays',
  size: Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2))),
  spawn: () => spawnWorker(findEntry('#relay'), undefined, [], { env: {}, stdout: true, stderr: true }),
}

/** A script has no files and no network. */
const NO_ACCESS = { net: undefined, tmp: undefined }

/** Starts the relay of a frontend in a process of its own, under the same permission model as a worker. */
function startRelay(
  data: FrontendWorkerData,
  sandbox: ProcessConfig,
  launcher: Launcher | undefined,
  threads: SharedThreads,
): Tenant {
  const { heartbeat, ...frontend } = data
  const { resourceLimits, memory, cpu, pids } = sandbox
  const { net = false, tmp } = sandbox.kind === 'process' ? sandbox : NO_ACCESS
  const entry = findEntry('@sallyport/frontend/process')
  const { code, reads, flags: codeFlags } = getCode(entry, data, sandbox)
  const start: FrontendStart = {
    ...{ ...frontend, ...code },
    // The process starts in an empty directory, so there is nothing unexpected to read.
    sandbox: { unexpectedRead: undefined, strict: false, closesNet: !net && launcher?.closesNetwork === true },
  }
  const flags = [
    ...MODEL,
    ...codeFlags,
    ...getFlags(reads),
    ...(tmp === undefined ? [] : TMP_FLAGS),
    ...getNetFlags(net),
    ...getV8Flags(resourceLimits),
  ]
  const node = { command: process.execPath, args: [...flags, fileURLToPath(entry)] }
  const info = { label: data.label, reads, descriptors: Object.values(PROCESS_PIPES), net }
  const launch: Launch = launcher ? getLaunch(launcher, node, { ...info, limits: { memory, pids, tmp } }) : node
  const relayData: RelayData = {
    name: getWorkerName('frontend', data.label),
    launch,
    hasWall: launcher !== undefined,
    temporary: tmpdir(),
    start: serializeValue(start),
    heartbeat,
    limits: { memory: launch.limits?.memory ?? memory, cpu, pids: launch.limits?.pids ?? pids },
  }
  return threads.open(RELAYS, `the relay of ${relayData.name}`, relayData)
}

/** The directory is empty, and only in a wall: the frontend cannot write to that of the machine. */
const TMP_FLAGS = ['--allow-fs-read=/tmp/*', '--allow-fs-write=/tmp/*']

/** @throws {BusError} InvalidParams if a launcher returns something else than a command */
function getLaunch(launcher: Launcher, node: { command: string; args: string[] }, info: LaunchInfo): Launch {
  const launch = launcher.launch(node.command, node.args, info)
  const { command, args } = Object(launch) as Partial<Launch>
  const isValid = typeof command === 'string' && Array.isArray(args) && args.every(arg => typeof arg === 'string')
  if (isValid) return launch
  throw new BusError('InvalidParams', `launcher ${JSON.stringify(launcher.name)} returned no command with arguments`)
}

/** V8 counts a young generation as three semi-spaces, and Node reserves the last 192 KB of a stack. */
function getV8Flags(limits: ResourceLimits = {}): string[] {
  const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young, stackSizeMb: stack } = limits
  return [
    ...(old === undefined ? [] : [`--max-old-space-size=${Math.ceil(old)}`]),
    ...(young === undefined ? [] : [`--max-semi-space-size=${Math.ceil(young / 3)}`]),
    ...(stack === undefined ? [] : [`--stack-size=${Math.max(64, Math.floor(stack * 1024) - 192)}`]),
  ]
}
