// The sandbox of one frontend in a process, whatever code runs there: the host sees the relay of the process in place of a worker.
import { availableParallelism, tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { ResourceLimits } from 'node:worker_threads'
import { ABANDON_TIMEOUT_MS, PROCESS_PIPES, serializeValue } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import type {
  FrontendPreparation,
  FrontendSandbox,
  FrontendStart,
  FrontendWorkerData,
} from '@sallyport/protocol/internal/contract'
import { getNodeEnvironment, getNodeProgram } from './launchers/node-program.js'
import type { ThreadHandle } from '../../life/spec.js'
import { getWorkerName } from '../../supervision/policy.js'
import { ProcessSockets, type SocketOwner } from '../../../shared/process-sockets.js'
import { createOutputSink, type OutputSink, takeReport } from '../../workers/output.js'
import type { SharedThreads, ThreadGroup, ThreadMember } from '../../workers/shared-threads.js'
import { type Entry, findEntry, spawnWorker } from '../../workers/spawn.js'
import { createUsage, readSharedUsage } from '../../../shared/worker-usage.js'
import type { ProcessLimits } from './child/limits.js'
import { createSecrets, getPlaceholders, type SecretOptions } from './network/secrets.js'
import type { SandboxConfig, SandboxHost } from '../kind/sandbox-config.js'
import { getReadFlags } from '../permission-model/grants.js'
import type { FrontendCode } from '../permission-model/module-code.js'
import { getNetFlags, NET_REMEDIES } from '../permission-model/net.js'
import { MODEL } from '../permission-model/spawn-sandboxed.js'
import { getWriteFlags } from '../permission-model/write-grants.js'
import type { FoundWall } from './launchers/find-wall.js'
import type { Launch, Launcher, LaunchInfo } from './launchers/launcher.js'
import type { RelayData, RelayStart, ScriptData } from './relay/relay-data.js'
import { isNetClosed, resolveWall, type WallOptions } from './wall.js'

interface ProcessOptions<Name> extends ProcessLimits, WallOptions {
  kind: Name
  /** True if the process may use the network, false if its code has no way to, hosts that it reaches through a broker, `undefined` if that is for Node and the wall to deny. */
  net?: boolean | readonly string[] | undefined
  secrets?: SecretOptions | undefined
  resourceLimits?: ResourceLimits | undefined
  spares?: number | undefined
}

/** Returns what the process loads. @param core - the core module, if it has a location */
type GetCode = (entry: Entry, start: FrontendStart, core: unknown) => FrontendCode

/**
 * The threads of all relays of a host. A relay runs no code of a frontend that could block it, but a thread that loads, or starts many
 * processes, is busy for longer than one that runs scripts should be.
 */
export const RELAYS: ThreadGroup = {
  name: 'relays',
  size: Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2))),
  isKept: true,
  confirmTimeout: ABANDON_TIMEOUT_MS,
  spawn: () => spawnWorker(findEntry('#relay'), undefined, [], { env: {} }),
}

/** Of a script's link: many scripts are open at once, and each page of a ring that was used stays in memory. */
export const SCRIPT_RING_BYTES: number = 2 ** 16

/** A relay kills its process and then exits by itself: a process that exits after its relay stays in the process table. */
const RELAY_STOP_TIMEOUT_MS = 10_000

/** The relay of a script that runs on ends its process, with all its scripts, and before that waits as long as it does for a busy machine. */
const SCRIPT_STOP_TIMEOUT_MS = 20_000

/**
 * Finds the wall of a process. The thread of its relay starts meanwhile.
 *
 * @param place - the place of the sandbox, for error texts
 * @param threads - the threads of a host that runs already
 * @throws as `resolveWall`
 */
export function prepareProcess(
  options: WallOptions,
  place: string,
  threads: SharedThreads | undefined,
): Promise<FoundWall> {
  // Refused before anything starts.
  getNodeProgram()
  threads?.prepare(RELAYS)
  return resolveWall(place, options)
}

export function createProcessConfig<Name extends string>(
  options: ProcessOptions<Name>,
  { launcher, failures }: FoundWall,
  getCode: GetCode,
): SandboxConfig<Name> {
  return {
    kind: options.kind,
    hasProcess: true,
    wall: launcher?.name ?? 'none',
    stopTimeout: RELAY_STOP_TIMEOUT_MS,
    spawn: (start, host, owners) => startRelay(start, host, owners, options, launcher, getCode),
    announce(_label, announcements) {
      if (options.wall === 'auto' || options.wall === 'required') {
        announcements.once('wall', log => {
          if (launcher) log.info({ wall: launcher.name }, 'Processes of frontends start in a wall')
          else log.info({ wall: 'none', failures }, 'Processes of frontends start without a wall')
        })
      }
      if (options.net !== undefined || isNetClosed(launcher)) return
      const text =
        'The network of processes of frontends is open: Node.js before 25 cannot deny it, and there is no wall'
      announcements.once('network', log => log.warn(`${text}. ${NET_REMEDIES}`))
    },
  }
}

/**
 * Returns what starts a process for some code. It is under the same permission model as a worker.
 *
 * @param isSplit - true if the process has two sockets
 * @throws {BusError} InvalidParams
 */
function prepareLaunch(
  frontend: FrontendStart,
  core: unknown,
  { net: granted = false, secrets: secretOptions = {}, tmp, resourceLimits, memory, cpu, pids }: ProcessOptions<string>,
  launcher: Launcher | undefined,
  getCode: GetCode,
  isSplit: boolean,
) {
  const { label } = frontend
  const net = granted === true
  const hasBroker = typeof granted === 'object'
  const secrets = createSecrets(secretOptions)
  const entry = findEntry('@sallyport/frontend/process')
  const { code, reads, writes, flags: codeFlags } = getCode(entry, frontend, core)
  const sandbox = createSandbox(launcher, net, hasBroker)
  const flags = [
    ...MODEL,
    ...codeFlags,
    ...getReadFlags(reads),
    ...(writes ? getWriteFlags(writes) : []),
    ...(tmp === undefined ? [] : TMP_FLAGS),
    ...getNetFlags(net),
    ...getV8Flags(resourceLimits),
  ]
  const node = { command: getNodeProgram(), args: [...PROGRAM_FLAGS, ...flags, fileURLToPath(entry)] }
  const limits = { memory, cpu, pids, tmp }
  const { control, link, network, fromCore } = PROCESS_PIPES
  const descriptors = [control, link, ...(hasBroker ? [network] : []), ...(isSplit ? [fromCore] : [])]
  const info = {
    ...{ label, reads, writes: writes?.directories ?? [], descriptors },
    ...{ net, limits: { memory, pids, tmp } },
  }
  const owner = !launcher || launcher.ignoresLabel ? '' : label
  return {
    code,
    sandbox,
    /** All that is fixed once the process has been started. */
    key: JSON.stringify([launcher && getId(launcher), owner, node.args, reads, net, hasBroker, limits, sandbox]),
    reads: [...reads.directories, ...info.writes, ...reads.files],
    network: hasBroker ? { hosts: granted, secrets } : undefined,
    env: getPlaceholders(secrets),
    /**
     * Starts the relay, and with it the process.
     *
     * @param owners - of its sockets; none if the relay forwards frames
     */
    open(
      name: string,
      start: RelayData['start'],
      owners: readonly SocketOwner[],
      sharedThreads: SharedThreads,
    ): ThreadMember {
      const launch: Launch = launcher ? getLaunch(launcher, node, info) : node
      const sockets = ProcessSockets.create(owners)
      const relayData: RelayData = {
        start,
        sockets: sockets?.ports,
        launch,
        hasWall: launcher !== undefined,
        hasBroker,
        temporary: tmpdir(),
        env: getNodeEnvironment(),
        limits: {
          memory: launch.limits?.memory ?? memory,
          cpu,
          pids: launch.limits?.pids ?? pids,
          tmp: launch.limits?.tmp,
        },
        usage: createUsage(),
      }
      const relay = sharedThreads.open(RELAYS, `the relay of ${name}`, relayData, sockets?.ports)
      relay.sockets = sockets
      relay.readUsage = () => readSharedUsage(relayData.usage)
      return relay
    },
  }
}

/** @throws {BusError} InvalidParams */
function startRelay(
  { heartbeat, ...frontend }: FrontendWorkerData,
  { options, sharedThreads, processes }: SandboxHost,
  owners: readonly SocketOwner[],
  processOptions: ProcessOptions<string>,
  launcher: Launcher | undefined,
  getCode: GetCode,
): ThreadHandle {
  const { label, text } = frontend
  const { spares = 0 } = processOptions
  const isSplit = owners.length > 1
  const process = prepareLaunch(frontend, options.core, processOptions, launcher, getCode, isSplit)
  const { code, sandbox, env, network } = process
  const name = getWorkerName('frontend', label)
  const start: RelayStart = {
    type: 'start',
    name,
    start: serializeValue({ ...frontend, ...code, sandbox, env } satisfies FrontendStart),
    heartbeat,
    network,
  }
  const { runner } = code
  const preparation: FrontendPreparation = { sandbox, hasText: text !== undefined && runner === undefined, runner }
  const request = {
    key: JSON.stringify([process.key, preparation]),
    ...{ reads: process.reads, spares },
    // A spare is not for a certain gate, so its relay forwards its frames.
    open() {
      const spare = process.open('a spare process', preparation, isSplit ? [] : owners, sharedThreads)
      // Nobody's code runs yet.
      readOutput(spare, { take() {}, end() {} })
      return spare
    },
  }
  const relay = spares > 0 ? processes.take(request) : undefined
  if (!relay) return process.open(name, start, owners, sharedThreads)
  relay.name = `the relay of ${name}`
  relay.postMessage(start)
  return relay
}

/** How scripts share processes. */
export interface ScriptProcessOptions {
  /** Names the processes, whose scripts are of one author. */
  group: string
  maxScripts: number | undefined
  /** Milliseconds that a script can run without a pause. */
  maxRunMs: number
  /** Returns what a script starts with. */
  getScript(start: FrontendStart): FrontendStart
}

/**
 * The sandbox of a script whose process has others.
 *
 * @param getCode - returns what the process loads before it has a script
 */
export function createSharedProcessConfig<Name extends string>(
  options: ProcessOptions<Name>,
  found: FoundWall,
  getCode: GetCode,
  { group, maxScripts, maxRunMs, getScript }: ScriptProcessOptions,
): SandboxConfig<Name> {
  const { launcher } = found
  const { memory, cpu, pids, spares = 0 } = options
  return {
    ...createProcessConfig(options, found, getCode),
    ringBytes: SCRIPT_RING_BYTES,
    stopTimeout: SCRIPT_STOP_TIMEOUT_MS,
    spawn({ heartbeat, ...frontend }, { options: { core }, sharedThreads, processes, log }) {
      const name = getWorkerName('frontend', frontend.label)
      const start = { ...getScript(frontend), sandbox: createSandbox(launcher, false, false) }
      const open = (): ThreadMember => {
        // Which scripts follow is not known when the process starts, and it can read none of them.
        const unnamed = { ...frontend, script: '', label: group }
        const process = prepareLaunch(unnamed, core, options, launcher, getCode, false)
        const { sandbox, code } = process
        const preparation: FrontendPreparation = { sandbox, hasText: false, runner: code.runner, hasScripts: true }
        const relay = process.open(`the process of ${group}`, preparation, [], sharedThreads)
        readOutput(relay, createOutputSink({ worker: 'scripts', label: group }, log, false))
        return relay
      }
      const key = JSON.stringify([launcher && getId(launcher), group, maxScripts, memory, cpu, pids])
      const data: ScriptData = { name, start, heartbeat, maxRunMs }
      return processes.share({ key, reads: [], spares, maxScripts, open }, relay =>
        sharedThreads.openIn(relay, `the script ${name}`, data),
      )
    },
  }
}

function readOutput(relay: ThreadMember, sink: OutputSink): void {
  relay.on('exit', sink.end)
  relay.on('message', report => takeReport(report, sink, relay))
}

/** The process starts in an empty directory, so there is nothing unexpected to read. */
const createSandbox = (launcher: Launcher | undefined, net: boolean, hasBroker: boolean): FrontendSandbox => ({
  ...{ unexpectedRead: undefined, strict: false },
  closesNet: !net && launcher?.closesNetwork === true,
  hasBroker,
})

const launcherIds = new WeakMap<Launcher, number>()
let lastId = 0
function getId(launcher: Launcher): number {
  const id = launcherIds.get(launcher) ?? ++lastId
  launcherIds.set(launcher, id)
  return id
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

/** What the frontend imports of its package are the exports of its program: docs/adr/0008-start-up.md. */
const PROGRAM_FLAGS: readonly string[] = ['--conditions=sallyport-process']

/** V8 counts a young generation as three semi-spaces, and Node reserves the last 192 KB of a stack. */
function getV8Flags(limits: ResourceLimits = {}): string[] {
  const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young, stackSizeMb: stack } = limits
  return [
    ...(old === undefined ? [] : [`--max-old-space-size=${Math.ceil(old)}`]),
    ...(young === undefined ? [] : [`--max-semi-space-size=${Math.ceil(young / 3)}`]),
    ...(stack === undefined ? [] : [`--stack-size=${Math.max(64, Math.floor(stack * 1024) - 192)}`]),
  ]
}
