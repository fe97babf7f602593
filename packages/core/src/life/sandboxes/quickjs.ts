// A script in a VM of QuickJS. Many share a script host: a thread, or each has a process.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import {
  ANSWER_TIMEOUT_MS,
  type EngineModule,
  type EngineOptions,
  type FrontendPreparation,
  type FrontendSandbox,
  type FrontendStart,
  type FrontendWorkerData,
  getWorkerName,
  THREAD_TIME_FILE,
} from '@sallyport/protocol/internal/contract'
import { MAX_SCRIPT_MS } from '@sallyport/protocol/internal/wire'
import { BusError, describeName, isBusError } from '@sallyport/protocol/internal/errors'
import { compileEngine, isTypeScriptName, loadOnce } from '@sallyport/protocol/internal/util'
import * as v from 'valibot'
import { integer } from '../../shared/validate.js'
import type { ThreadGroup } from '../workers/shared-threads.js'
import { type Entry, findEntry } from '../workers/spawn.js'
import { hosts, leftOut, objectOfKind, processEntries, secrets } from './options.js'
import { getFrontendEntry, type SandboxHost, type SandboxKind, toSandbox } from './sandbox.js'
import {
  checkSecrets,
  type FrontendCode,
  getEntryGrants,
  getReadGrants,
  joinGrants,
  realModule,
  type ReadGrants,
} from '@sallyport/process/internal/permission-model'
import { loadProcesses } from '../workers/process-host.js'
import { spawnSandboxed } from '../workers/spawn-sandboxed.js'
import type { ProcessSandbox } from './process.js'

/**
 * A script in a VM of QuickJS, which is compiled to WebAssembly: the page "Scripts" of the documentation lists its globals. Many
 * scripts share a thread, the script host, and each keeps its own rights, quotas, output, errors, memory and time.
 */
export interface QuickjsSandbox extends Pick<ProcessSandbox, 'wall' | 'cpu' | 'pids' | 'spares'> {
  /** A script in a VM of QuickJS. */
  kind: 'quickjs'
  /** Limits what the script can allocate, in MiB. A script beyond it ends. Messages that core has not read can use as much again. @default 32 */
  memory?: number
  /**
   * Limits the milliseconds that the script runs before it awaits something, up to 5000. A script beyond it ends. Other scripts of its script host wait as long.
   *
   * @default 1000
   */
  time?: number
  /** Names a script host for scripts of one author. It ends with the last of them. By default all scripts without a name share threads. */
  group?: string
  /** Limits the scripts in one script host. `1`: none shares it. @default Infinity for a thread, and for a process with `group`; 1 for another process */
  perProcess?: number
  /**
   * Makes the script host a process, in a wall if the machine has one. The process has one script, unless `group` or `perProcess` says
   * that it has more.
   *
   * @default false
   */
  process?: boolean
  /**
   * Lets the script reach hosts with `fetch`, as in the sandbox `process`. Needs `process: true`.
   *
   * @default none: there is no `fetch`
   */
  net?: readonly string[]
  /**
   * Hides secrets, by the name of a variable, as in the sandbox `process`: the script finds placeholders in `process.env`, new with each start.
   */
  secrets?: ProcessSandbox['secrets']
}

const KIND = 'quickjs'
const RUNNER = '@sallyport/quickjs/internal'
/** Of a link: many scripts are open at once, and each page of a ring that was used stays in memory. */
const RING_BYTES: number = 2 ** 16
const MAX_MEMORY_MB = 2048
/** Of the script host, beside the stack of a script that is the engine's own. */
const HOST_STACK_MB = 4
/** The threads are started with all that a script host reads. */
const THREAD_SANDBOX: FrontendSandbox = { unexpectedRead: undefined }
/** V8 optimizes the engine's code only for a script that computes for long: a process cannot exit meanwhile, and most scripts end before. */
const PROCESS_FLAGS = ['--wasm-tiering-budget=1000000000']
const DEFAULTS = { memory: 32, time: 1000 } as const

const limits = {
  memory: v.optional(integer(`whole MiB, from 1 to ${MAX_MEMORY_MB}`, 1, MAX_MEMORY_MB), DEFAULTS.memory),
  time: v.optional(integer(`whole milliseconds, from 1 to ${MAX_SCRIPT_MS}`, 1, MAX_SCRIPT_MS), DEFAULTS.time),
}
const nameRule = v.check<string, string>(name => name !== '', 'a name')
const sharing = {
  group: v.optional(v.pipe(v.string('a name'), nameRule)),
  perProcess: v.optional(integer('a whole number, from 1', 1)),
}
const needsProcess = leftOut('it needs process: true')
const { wall, cpu, pids, spares } = processEntries
const schema = v.variant('process', [
  objectOfKind({
    kind: v.literal(KIND),
    process: v.literal(true),
    ...sharing,
    ...limits,
    ...{ wall, cpu, pids, spares, secrets },
    net: v.optional(hosts),
  }),
  objectOfKind({
    kind: v.literal(KIND),
    process: v.optional(v.literal(false)),
    ...sharing,
    ...limits,
    ...{ cpu: needsProcess, pids: needsProcess, wall: needsProcess, spares: needsProcess },
    ...{ net: needsProcess, secrets: needsProcess },
  }),
])

/** Compiles the engine once for all script hosts that are threads. */
const compileEngineOnce = loadOnce(async () => {
  if (!('WebAssembly' in globalThis)) {
    const remedy = 'Start it without --jitless, or use "permission" or "process"'
    throw new BusError(
      'InvalidParams',
      `sandbox "quickjs" needs WebAssembly, which this Node.js does not have. ${remedy}`,
    )
  }
  return compileEngine(await readFile(createRequire(findEntry(RUNNER)).resolve('quickjs-wasi/quickjs.wasm')))
})

/** @internal */
export const quickjsKind: SandboxKind<typeof KIND, typeof schema> = {
  isTrusted: false,
  hasNamedModules: true,
  schema,
  limitMemory: (options, memory) => ({ ...options, memory: Math.ceil(memory) }),
  limitTime: (options, time) => ({ ...options, time }),
  async resolve(options, place, threads) {
    const { memory, time } = options
    const engine: EngineOptions = { memory, time }
    const runner = findEntry(RUNNER)
    const getScript = (start: FrontendStart): FrontendStart => {
      const script = readScript(start)
      return { ...start, module: realModule(start.module, !start.text).href, script, runner, engine }
    }
    if (options.process) {
      const { kind, wall, cpu, pids, spares, group, perProcess, net = false, secrets } = options
      checkSecrets(place, { net, secrets })
      const resourceLimits = { stackSizeMb: HOST_STACK_MB }
      const process = { wall, cpu, pids, spares, net, secrets, resourceLimits }
      const getCode = (entry: Entry, start: FrontendStart) => getScriptCode(entry, start, engine)
      const processes = await loadProcesses(threads)
      const { createProcessConfig, createSharedProcessConfig, explainForeignFiles, ProcessPool, resolveWall } =
        processes
      const found = await resolveWall(place, { wall, cpu, pids }, processes.findTextWall)
      const foreign = explainForeignFiles(found.launcher)
      if (foreign !== undefined)
        throw new BusError('InvalidParams', `${place}.wall cannot hold scripts, whose engine is a file: ${foreign}`)
      const config = createProcessConfig(process, found, getCode)
      const engineVersion = await describeEngine()
      const alone = { ...toSandbox(kind, ProcessPool, config), engine: engineVersion }
      if (perProcess === 1 || (perProcess === undefined && group === undefined)) return alone
      if (net)
        throw new BusError(
          'InvalidParams',
          `${place}.net needs a process for each script: leave out group and perProcess`,
        )
      const sharing = { group: createGroupName(group, perProcess), maxScripts: perProcess, maxRunMs: time, getScript }
      const shared = toSandbox(kind, ProcessPool, createSharedProcessConfig(process, found, getCode, sharing))
      return {
        ...shared,
        engine: engineVersion,
        ringBytes: RING_BYTES,
        spawn(start, host, owners) {
          if (hasTypes(start)) return alone.spawn(start, host, owners)
          return shared.spawn(start, host, owners)
        },
      }
    }
    const module = await compileEngineOnce()
    const { kind, group, perProcess } = options
    return {
      kind,
      engine: await describeEngine(),
      ringBytes: RING_BYTES,
      spawn(start, host) {
        const { heartbeat } = start
        const data: FrontendWorkerData = { ...getScript(start), heartbeat, sandbox: THREAD_SANDBOX }
        const alone = group === undefined && hasTypes(start)
        const shared = createGroup(alone ? `types of ${start.label}` : group, alone ? 1 : perProcess, host, module)
        return host.sharedThreads.open(shared, getWorkerName('frontend', start.label), data)
      },
    }
  },
}

/** Returns what the process of a script loads, and reads for that. The script itself cannot read files. */
function getScriptCode(
  entry: Entry,
  { module: href, text, script }: FrontendStart,
  engine: EngineOptions,
): FrontendCode {
  const module = realModule(href, !text)
  const runner = findEntry(RUNNER)
  const isRead = !text && script === undefined && module.protocol === 'file:'
  const own = [...[entry, runner].map(getEntryGrants), getInsideGrants()]
  const reads = joinGrants(isRead ? [...own, getReadGrants(module)] : own)
  return { code: { module: module.href, runner, engine }, reads, flags: PROCESS_FLAGS }
}

/** Reads the file of a script, with each start. @throws {BusError} LoadFailed */
function readScript({ module, text }: FrontendStart): string | undefined {
  if (text || !module.startsWith('file:')) return undefined
  try {
    return readFileSync(new URL(module), 'utf8')
  } catch (cause) {
    const message = `Frontend script ${fileURLToPath(module)}: it cannot be read: ${(cause as Error).message}`
    throw new BusError('LoadFailed', message, { cause })
  }
}

/**
 * True if types have to be removed from code. Node's parser for that has no limit: some short code occupies it for ever, and some breaks it for
 * all that follows in its thread. So such code shares no process, and a thread only with its own `group`.
 */
const hasTypes = ({ module, text }: FrontendStart): boolean =>
  [text?.name ?? new URL(module).pathname, ...Object.keys(text?.modules ?? {})].some(isTypeScriptName)

/** Returns what a snapshot depends on: the version of the engine, and the image that it differs from. */
const describeEngine = loadOnce(async (): Promise<string> => {
  const runner = findEntry(RUNNER)
  const [pack, image] = await Promise.all([
    readFile(createRequire(runner).resolve('quickjs-wasi/package.json'), 'utf8'),
    readFile(new URL('../browser/inside.img', runner)),
  ])
  const { version }: { version: string } = JSON.parse(pack)
  return `quickjs-wasi ${version} with ${await hashImage(image)}`
})

async function hashImage(image: Uint8Array): Promise<string> {
  const { createHash } = await import('node:crypto')
  return createHash('sha256').update(image).digest('hex').slice(0, 16)
}

/** A package that a host installs beside this one to resume what earlier releases have interrupted. */
const IMAGES = '@sallyport/quickjs-images'

/**
 * Returns the image that a snapshot differs from; `undefined` for that of this release. A snapshot has all of its VM's memory, so that any release with
 * the same engine goes on with it.
 *
 * @param engine - of the snapshot, as `describeEngine` returned it
 * @throws {BusError} InvalidParams for another engine, an image that is not kept, or one that was withdrawn
 */
export async function readImageOf(engine: string): Promise<Uint8Array | undefined> {
  const own = await describeEngine()
  if (engine === own) return undefined
  const refuse = (remedy: string, cause?: unknown): never => {
    const text = `the continuation was made by ${describeName(engine)}, and this host has ${own}. ${remedy}`
    throw new BusError('InvalidParams', `bus.resume: ${text}`, { cause })
  }
  const [version, hash] = engine.split(' with ')
  if (version !== own.split(' with ')[0] || !/^[0-9a-f]{16}$/.test(hash ?? ''))
    return refuse('Resume it with the version of Sallyport that made it')
  try {
    const read = (name: string): Promise<Buffer> => readFile(fileURLToPath(import.meta.resolve(`${IMAGES}/${name}`)))
    const withdrawn: Record<string, string> = JSON.parse((await read('withdrawn.json')).toString())
    if (Object.hasOwn(withdrawn, hash!)) return refuse(`That one was withdrawn: ${withdrawn[hash!]}`)
    const image = await read(`images/${hash}.img`)
    if ((await hashImage(image)) !== hash) return refuse(`The image ${hash} of ${IMAGES} was changed. Install it again`)
    return image
  } catch (cause) {
    if (isBusError(cause)) throw cause
    return refuse(
      `Install ${IMAGES} in its newest version, or resume it with the version of Sallyport that made it`,
      cause,
    )
  }
}

/** Grants what the runner reads beside its own bundle: the image of a VM, and the CPU time of its own thread. */
function getInsideGrants(): ReadGrants {
  const { directories, files } = getReadGrants(new URL('../', findEntry(RUNNER)))
  return { directories, files: [...files, THREAD_TIME_FILE] }
}

const createGroupName = (group: string | undefined, perProcess: number | undefined): string =>
  group === undefined
    ? `scripts${perProcess === undefined ? '' : ` (${perProcess} each)`}`
    : `script group ${JSON.stringify(group)}`

function createGroup(
  group: string | undefined,
  perProcess: number | undefined,
  host: SandboxHost,
  engineModule: EngineModule,
): ThreadGroup {
  return {
    name: createGroupName(group, perProcess),
    size: group === undefined ? Math.max(1, Math.min(4, availableParallelism() - 1)) : 1,
    isKept: group === undefined,
    startsLater: true,
    maxMembers: perProcess,
    // Each script ends within its time, so a thread that does not respond has many of them.
    confirmTimeout: ANSWER_TIMEOUT_MS,
    spawn() {
      const entry = getFrontendEntry(host)
      // Which scripts follow is not known when it starts, and it can read none of them.
      const reads = joinGrants([...[entry, findEntry(RUNNER)].map(getEntryGrants), getInsideGrants()])
      const workerData: FrontendPreparation = {
        sandbox: THREAD_SANDBOX,
        hasText: false,
        runner: findEntry(RUNNER),
        engineModule,
      }
      return spawnSandboxed({ entry, reads, workerData, resourceLimits: { stackSizeMb: HOST_STACK_MB } })
    },
  }
}
