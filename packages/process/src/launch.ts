// Starts the process of a frontend, whatever code runs there. The host sees its relay in place of a worker.
//
// 1. `prepareLaunch` collects the code, the grants, the flags and the limits, and `key`: all that is fixed once a process runs
// 2. a process that waits in the pool for the same key is taken; else `open` starts a relay
// 3. sockets lead from the process to the threads that read its frames, or the relay forwards them
// 4. the launcher of the wall says which command the relay starts (`relay/run-relay.ts`)
// 5. the relay, or the script in the process of others, is what the host gets
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort, type ResourceLimits } from 'node:worker_threads'
import {
  type FrontendPreparation,
  type FrontendSandbox,
  type FrontendStart,
  type FrontendWorkerData,
  PROCESS_SOCKETS,
  serializeValue,
} from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { canListenBelow } from '@sallyport/protocol/internal/link'
import type { GuardedLaunch } from './child/orphan-guard.js'
import { createStopStatus, describeStop } from './child/stop-status.js'
import type { ProcessHost, ProcessLog, ProcessMember, RelaySockets, SocketOwner } from './contract.js'
import { getLaunch } from './launchers/check-launch.js'
import { explainForeignFiles, explainOpenNet, type FoundWall, type WallOptions } from './launchers/find-wall.js'
import { type Launch, type Launcher, kernelWalls } from './launchers/launcher.js'
import { getCertificates, getNodeEnvironment, getNodeProgram } from './launchers/node-program.js'
import { createSecrets, getPlaceholders, type SecretOptions } from './network/secrets.js'
import { getWriteFlags, joinGrants, type WriteGrants } from './permission-model/grants.js'
import { findOutwardLinks, findWayOut, getReadFlags, hasMoreFiles, warnOfLinks } from './permission-model/links.js'
import { type FrontendCode, getNetFlags, MODEL } from './permission-model/module-code.js'
import type { ProcessPool } from './process-pool.js'
import type { RelayData, RelayStart, ScriptData } from './relay/relay-data.js'

/** The options of a sandbox that is a process, checked. */
export interface ProcessOptions extends WallOptions {
  /** True if the process may use the network, false if its code has no way to, hosts that it reaches through a broker, `undefined` if that is for Node and the wall to deny. */
  net?: boolean | readonly string[] | undefined
  secrets?: SecretOptions | undefined
  resourceLimits?: ResourceLimits | undefined
  spares?: number | undefined
}

/** The sandbox of a frontend, as its options are resolved. */
export interface ProcessConfig {
  readonly hasProcess: true
  /** The name of a launcher, or `none`. */
  readonly wall: string
  /**
   * Starts the code of a frontend.
   *
   * @param owners - the threads that own the ends of the process's sockets; none if the relay forwards its frames
   * @throws {BusError} InvalidParams
   */
  spawn(start: FrontendWorkerData, host: ProcessHost, pool: ProcessPool, owners: readonly SocketOwner[]): ProcessMember
  /** Logs what users should know of it when a frontend is opened: each subject once. */
  announce(once: (subject: string, write: (log: ProcessLog) => void) => void): void
}

type GetCode = (entry: string, start: FrontendStart, core: unknown) => FrontendCode

export const createProcessConfig = (
  options: ProcessOptions,
  { launcher, failures }: FoundWall,
  getCode: GetCode,
): ProcessConfig => ({
  hasProcess: true,
  wall: launcher?.name ?? 'none',
  spawn({ heartbeat, ...frontend }, host, pool, owners) {
    const { spares = 0 } = options
    const isSplit = owners.length > 1
    const process = prepareLaunch(frontend, host, options, launcher, getCode, isSplit)
    const { code, sandbox, env, network } = process
    const name = host.getName(frontend.label)
    const started: FrontendStart = { ...frontend, ...code, sandbox, env }
    const { runner } = code
    const canSuspend = started.text?.wrapper !== undefined && runner !== undefined
    const start: RelayStart = { type: 'start', name, start: serializeValue(started), heartbeat, canSuspend, network }
    const hasText = started.text !== undefined && runner === undefined
    const preparation: FrontendPreparation = { sandbox, hasText, runner }
    const request = {
      key: JSON.stringify([process.key, preparation]),
      ...{ reads: process.reads, spares },
      // A spare is not for a certain gate, so its relay forwards its frames.
      open() {
        const spare = process.open('a spare process', preparation, isSplit ? [] : owners)
        host.readOutput(spare, undefined)
        return spare
      },
    }
    const relay = spares > 0 ? pool.take(request) : undefined
    if (!relay) return process.open(name, start, owners)
    relay.name = `the relay of ${name}`
    relay.postMessage(start)
    return relay
  },
  announce(once) {
    if (options.wall === 'auto' || options.wall === 'required') {
      once(`wall ${launcher?.name}`, log => {
        if (launcher) log.info({ wall: launcher.name }, 'Processes of frontends start in a wall')
        else log.info({ wall: 'none', failures }, 'Processes of frontends start without a wall')
      })
    }
    const reason = options.net === undefined ? explainOpenNet(launcher) : undefined
    if (reason === undefined) return
    once(reason, log => log.warn(`The network of processes of frontends is open: ${reason}`))
  },
})

/**
 * Returns what starts a process for some code. It is under the same permission model as a worker.
 *
 * @param isSplit - true if the process has two sockets
 * @throws {BusError} InvalidParams
 */
function prepareLaunch(
  frontend: FrontendStart,
  host: ProcessHost,
  { net: granted = false, secrets: secretOptions = {}, tmp, resourceLimits, memory, cpu, pids }: ProcessOptions,
  launcher: Launcher | undefined,
  getCode: GetCode,
  isSplit: boolean,
) {
  const { entry, core } = host
  const name = host.getName(frontend.label)
  const net = granted === true
  const hasBroker = typeof granted === 'object'
  const secrets = createSecrets(secretOptions)
  const { code, reads: codeReads, writes, flags: codeFlags } = getCode(entry, frontend, core)
  const certificates = granted === false ? [] : Object.values(getCertificates())
  const reads = joinGrants([codeReads, { directories: [], files: certificates }])
  const sandbox = createSandbox(launcher, net, hasBroker)
  // To the kernel, a link in a wall is what it leads to; and the code of a script's process is Sallyport's.
  const isClosed = code.runner !== undefined || (launcher && kernelWalls.has(launcher))
  if (writes && !isClosed) checkWrites(name, writes)
  const links = isClosed ? [] : findOutwardLinks(reads)
  warnOfLinks(host.log, name, links)
  const flags = [
    ...MODEL,
    ...codeFlags,
    ...getReadFlags(reads, links),
    ...(writes ? getWriteFlags(writes) : []),
    ...(tmp === undefined ? [] : TMP_FLAGS),
    ...getNetFlags(net),
    ...getV8Flags(resourceLimits),
  ]
  const node = { command: getNodeProgram(), args: [...PROGRAM_FLAGS, ...flags, fileURLToPath(entry)] }
  const isElsewhere = launcher?.isElsewhere === true
  const limits = { memory, cpu, pids, tmp }
  const descriptors = PROCESS_SOCKETS.slice(0, isSplit ? 2 : 1)
  const info = {
    ...{ reads, writes: writes?.directories ?? [], descriptors },
    ...{ net, limits, program: { entry: fileURLToPath(entry), node: process.version } },
  }
  return {
    code,
    sandbox,
    /** All that is fixed once the process has been started. */
    key: JSON.stringify([launcher && getId(launcher), node.args, reads, net, hasBroker, limits, sandbox]),
    reads: [...reads.directories, ...info.writes, ...reads.files],
    network: hasBroker ? { hosts: granted, secrets } : undefined,
    env: getPlaceholders(secrets),
    /**
     * Starts the relay, and with it the process.
     *
     * @param owners - of its sockets; none if the relay forwards frames
     */
    open(name: string, start: RelayData['start'], owners: readonly SocketOwner[]): ProcessMember {
      const launch: Launch = launcher ? getLaunch(name, launcher, node, info) : node
      const sockets = createSockets(owners)
      const stopStatus = launch.stop && createStopStatus()
      const guarded: GuardedLaunch & Launch = { ...launch, stopStatus }
      const relayData: RelayData = {
        start,
        sockets: sockets?.ports,
        launch: guarded,
        launcher: launcher?.name,
        isElsewhere,
        temporary: tmpdir(),
        env: { ...getNodeEnvironment(reads), ...launch.env },
        limits,
        usage: new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT),
      }
      const relay = host.openRelay(`the relay of ${name}`, relayData, sockets?.ports)
      relay.sockets = sockets
      if (launcher && stopStatus) {
        relay.announceEnd = () => announceStop(host.log, relay.name, launcher.name, guarded)
        relay.once('exit', relay.announceEnd)
      }
      const usage = new Float64Array(relayData.usage)
      relay.readUsage = () => (usage[0]! > 0 ? { memory: usage[0], cpu: usage[1] } : undefined)
      return relay
    },
  }
}

/** That the thread of the host looks through at each start. */
const MAX_WRITABLE_FILES = 100_000

/** @throws {BusError} InvalidParams */
function checkWrites(name: string, writes: WriteGrants): void {
  if (hasMoreFiles(writes.paths, MAX_WRITABLE_FILES)) {
    const text = `${name} was not started: its directories of "write" have more than ${MAX_WRITABLE_FILES} files`
    throw new BusError('InvalidParams', `${text}. Remove some, or use a wall of bubblewrap`)
  }
  const link = findWayOut(writes)
  if (!link) return
  const text = `${name} was not started: in its directories of "write", the link ${link.path} to ${link.target} leads out, or would if it were moved`
  throw new BusError('InvalidParams', `${text}. Remove it, or use a wall of bubblewrap`)
}

function announceStop(log: ProcessLog, relay: string, launcher: string, { stop, stopStatus }: GuardedLaunch): void {
  const failure = stopStatus && describeStop(stopStatus)
  if (!stop || failure === undefined) return
  const owner = relay.replace(/^the relay of (?:the process of )?/, '')
  const text = `"stop" of the launcher ${JSON.stringify(launcher)} ${failure}. The process of ${owner} may live on`
  log.warn({ launcher }, `${text}. End it: ${JSON.stringify([stop.command, ...stop.args])}`)
}

/** How scripts share processes. */
export interface ScriptProcessOptions {
  /** Names the processes, whose scripts are of one author. */
  group: string
  maxScripts: number | undefined
  maxRunMs: number
  getScript(start: FrontendStart): FrontendStart
}

/**
 * The sandbox of a script whose process has others.
 *
 * @param getCode - returns what the process loads before it has a script
 */
export function createSharedProcessConfig(
  options: ProcessOptions,
  found: FoundWall,
  getCode: GetCode,
  { group, maxScripts, maxRunMs, getScript }: ScriptProcessOptions,
): ProcessConfig {
  const { launcher } = found
  const { memory, cpu, pids, spares = 0 } = options
  return {
    ...createProcessConfig(options, found, getCode),
    spawn({ heartbeat, ...frontend }, host, pool) {
      const name = host.getName(frontend.label)
      const start = { ...getScript(frontend), sandbox: createSandbox(launcher, false, false) }
      const open = (): ProcessMember => {
        // Which scripts follow is not known when the process starts, and it can read none of them.
        const unnamed = { ...frontend, script: '' }
        const process = prepareLaunch(unnamed, host, options, launcher, getCode, false)
        const { sandbox, code } = process
        const preparation: FrontendPreparation = { sandbox, hasText: false, runner: code.runner, hasScripts: true }
        const relay = process.open(`the process of ${group}`, preparation, [])
        host.readOutput(relay, group)
        return relay
      }
      const key = JSON.stringify([launcher && getId(launcher), group, maxScripts, memory, cpu, pids])
      const data: ScriptData = { name, start, heartbeat, maxRunMs }
      return pool.share({ key, reads: [], spares, maxScripts, open }, relay =>
        host.openScript(relay, `the script ${name}`, data),
      )
    },
  }
}

/** The process starts in an empty directory, so there is nothing unexpected to read. */
const createSandbox = (launcher: Launcher | undefined, net: boolean, hasBroker: boolean): FrontendSandbox => ({
  unexpectedRead: undefined,
  closesNet: !net && launcher?.closesNetwork === true,
  files: launcher && getFileOptions(launcher),
  hasBroker,
})

const getFileOptions = (launcher: Launcher): FrontendSandbox['files'] => [
  ...(explainForeignFiles(launcher) === undefined ? (['read'] as const) : []),
  ...(launcher.holds?.includes('tmp') ? (['tmp'] as const) : []),
  ...(launcher.bindsWrites ? (['write'] as const) : []),
]

const launcherIds = new WeakMap<Launcher, number>()
let lastId = 0
function getId(launcher: Launcher): number {
  const id = launcherIds.get(launcher) ?? ++lastId
  launcherIds.set(launcher, id)
  return id
}

/** The directory is empty, and only in a wall: the frontend cannot write to that of the machine. */
const TMP_FLAGS = ['--allow-fs-read=/tmp/*', '--allow-fs-write=/tmp/*']

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

let lastSocketId = 0

/**
 * Returns `undefined` if the relay has to forward frames: on Windows, if the path of the temporary directory is too long for a socket, if an
 * owner is not running, or without an owner.
 */
export function createSockets(
  owners: readonly SocketOwner[],
): (RelaySockets & { readonly ports: readonly MessagePort[] }) | undefined {
  if (owners.length === 0 || !owners.every(owner => owner.isUp) || !canListenBelow(tmpdir())) return undefined
  const ids: number[] = []
  const ports: MessagePort[] = []
  const threads = owners.map(owner => owner.code.thread)
  for (const owner of owners) {
    const { port1: port, port2 } = new MessageChannel()
    owner.post({ type: 'socket', socket: { id: ++lastSocketId, port } }, [port])
    ids.push(lastSocketId)
    ports.push(port2)
  }
  let isUsed = false
  return {
    ...{ ids, ports },
    get areFree() {
      return !isUsed && owners.every(({ code }, at) => code.thread === threads[at])
    },
    take: () => void (isUsed = true),
  }
}
