// Starts a worker under Node's permission model: it reads what it is made of, writes nothing, starts nothing, and has neither the
// host's environment nor its output. The worker itself closes what Node leaves open (frontend/src/runtime/harden.ts).
import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type ResourceLimits, type TransferListItem, Worker } from 'node:worker_threads'
import { BusError, isArrayBuffer, isUint8Array } from '@sallyport/protocol/internal'
import { DEFAULT_HEAP_MB } from '../../shared/heap-limit.js'
import { type Entry, findEntry, spawnWorker } from './spawn.js'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
/** Flags of a worker and of a process. Until 22.13 Node had the model as an experiment, and warned of it at each start. */
export const MODEL: readonly string[] =
  major > 23 || (major === 23 && minor >= 5) || (major === 22 && minor >= 13)
    ? ['--permission']
    : ['--experimental-permission', '--disable-warning=ExperimentalWarning']

/**
 * Since 22 Node grants the program that the process was started with. A worker has none, and the empty name would grant the working
 * directory. An interactive process has no program, so nothing is granted. The flag has no other effect in a worker.
 */
const PERMISSION = [...MODEL, '--interactive']

/** The permission model knows only files, and a worker under it has no loader for packages in archives. */
const PLUG_N_PLAY =
  "A frontend or gate under Node's permission model can't find its modules in the archives of Yarn's Plug'n'Play: " +
  'set `nodeLinker: node-modules` in .yarnrc.yml and install again, or use `sandbox: "none"` for a frontend that you trust'

/** Node before 25 has no flag that grants the network, and denies nothing. */
export const CAN_DENY_NET: boolean = process.allowedNodeEnvironmentFlags.has('--allow-net')
export const getNetFlags = (net = false): string[] => (net && CAN_DENY_NET ? ['--allow-net'] : [])

export interface SandboxedWorker {
  entry: Entry
  workerData?: object | undefined
  transferList?: TransferListItem[] | undefined
  reads: ReadGrants
  net?: boolean | undefined
  flags?: readonly string[]
  resourceLimits?: ResourceLimits | undefined
}

/** @throws errors of `new Worker` */
export function spawnSandboxed({ reads, net, flags = [], resourceLimits, ...start }: SandboxedWorker): Worker {
  const heapMb = resourceLimits?.maxOldGenerationSizeMb
  const worker = spawnWorker(start.entry, start.workerData, start.transferList, {
    execArgv: [...PERMISSION, ...getFlags(reads), ...getNetFlags(net), ...flags],
    env: {},
    stdout: true,
    stderr: true,
    resourceLimits: { ...resourceLimits, maxOldGenerationSizeMb: heapMb ?? DEFAULT_HEAP_MB },
  })
  guardInnerPort(worker)
  return worker
}

/** Grants a frontend its modules, Sallyport's own packages, and the locations of `sandbox.read`. */
export const getFrontendGrants = (entry: Entry, module: URL, read: readonly URL[]): ReadGrants =>
  joinGrants([getEntryGrants(entry), getModuleGrants(module), ...read.map(getReadGrants)])

/** Grants the loaders of a script what they read. The script itself cannot read files. */
export const getScriptGrants = (entry: Entry, runner: string, script: URL | undefined): ReadGrants =>
  joinGrants([...[entry, runner].map(getEntryGrants), ...(script?.protocol === 'file:' ? [getReadGrants(script)] : [])])

export const getGateGrants = (entry: Entry, dir: URL | undefined): ReadGrants =>
  joinGrants([getEntryGrants(entry), ...(dir ? [getReadGrants(dir)] : [])])

/** Returns the working directory unless it is granted: the worker verifies that it cannot read there. */
export function getUnexpectedRead({ directories }: ReadGrants): string | undefined {
  const cwd = realpathSync(process.cwd())
  return isWithin(directories, cwd) ? undefined : cwd
}

const entryGrants = new Map<string, ReadGrants>()

/** Grants the package of an entry, and the protocol, which each of them imports. They don't move while the process runs. */
function getEntryGrants(entry: Entry): ReadGrants {
  // A bundler puts the entry into the directory of this file.
  if (typeof entry === 'function') return getModuleGrants(new URL(import.meta.url))
  if ('pnp' in process.versions) throw new BusError('InvalidParams', PLUG_N_PLAY)
  let grants = entryGrants.get(entry)
  if (!grants) {
    const protocol = new URL(findEntry('@sallyport/protocol/internal'))
    grants = joinGrants([new URL(entry), protocol].map(getModuleGrants))
    entryGrants.set(entry, grants)
  }
  return grants
}

// Files that a worker may read: those that it is made of. Node compares a grant with the requested path, without resolving links.

interface ReadGrants {
  /** Directories with all that is in them. */
  readonly directories: readonly string[]
  readonly files: readonly string[]
}

/**
 * Returns a module's URL with its real path: otherwise each link in the path would need a grant.
 *
 * @param hasFile - false if only the directory exists
 */
export function realModule(module: string, hasFile = true): URL {
  const url = new URL(module)
  if (url.protocol !== 'file:') return url
  if (!hasFile)
    return new URL(module.slice(module.lastIndexOf('/') + 1), toDirectoryUrl(realpathSync(new URL('.', url))))
  return new URL(url.search + url.hash, pathToFileURL(realpathSync(url)))
}

const toDirectoryUrl = (path: string): URL => pathToFileURL(withSlash(path))

/** A frontend with a module that has no file links it with a class that Node has only with a flag, and calls an experiment. */
export const TEXT_FLAGS: readonly string[] = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning']

/** Grants a module's directory, each `node_modules` above it, and the package.json files that Node looks for. */
function getModuleGrants(module: URL): ReadGrants {
  if (module.protocol !== 'file:') return { directories: [], files: [] }
  const directory = dirname(fileURLToPath(module))
  const directories = [directory]
  const files: string[] = []
  for (let ancestor = directory; ; ancestor = dirname(ancestor)) {
    const packages = join(ancestor, 'node_modules')
    if (existsSync(packages)) directories.push(...withRealPath(packages))
    files.push(join(ancestor, 'package.json'))
    if (dirname(ancestor) === ancestor) return { directories, files }
  }
}

/** Grants a file or directory. A missing one is taken for a file. */
function getReadGrants(location: URL): ReadGrants {
  const paths = withRealPath(fileURLToPath(location).replace(/(?<=.)[\\/]$/, ''))
  const isDirectory = statSync(location, { throwIfNoEntry: false })?.isDirectory() ?? false
  return isDirectory ? { directories: paths, files: [] } : { directories: [], files: paths }
}

/**
 * Joins grants, without those that others contain. Node 20 ends the process if a directory is granted both itself and within another.
 *
 * @throws {BusError} InvalidParams for a path with an asterisk, which Node takes for a pattern
 */
export function joinGrants(all: readonly ReadGrants[]): ReadGrants {
  const granted = [...new Set(all.flatMap(grants => grants.directories))].toSorted()
  const directories = granted.filter(path => !granted.some(other => other !== path && isWithin([other], path)))
  const files = [...new Set(all.flatMap(grants => grants.files))].filter(file => !isWithin(directories, file))
  const wild = [...directories, ...files].find(path => path.includes('*'))
  if (wild !== undefined) {
    throw new BusError('InvalidParams', `Node can't grant reads of ${wild}: an asterisk in a path matches anything`)
  }
  return { directories, files: files.toSorted() }
}

export function isWithin(directories: readonly string[], path: string): boolean {
  return directories.some(directory => path === directory || path.startsWith(withSlash(directory)))
}

export const getFlags = ({ directories, files }: ReadGrants): string[] => [
  ...files.map(file => `--allow-fs-read=${file}`),
  ...directories.map(directory => `--allow-fs-read=${withSlash(directory)}*`),
]

const withSlash = (directory: string): string => (directory.endsWith(sep) ? directory : directory + sep)

function withRealPath(path: string): string[] {
  try {
    return [...new Set([path, realpathSync(path)])]
  } catch {
    return [path]
  }
}

type Receive = (message: object) => void
type InnerMessage = { type?: unknown; stream?: unknown; chunks?: unknown }

/**
 * Lets only valid messages into the port that Node itself uses between a worker and its host, for output and errors. Code in the
 * worker can find that port, and any message that Node does not expect is an uncaught error, which would end the host.
 */
function guardInnerPort(worker: Worker): void {
  const name = Object.getOwnPropertySymbols(Worker.prototype).find(({ description }) => description === 'kOnMessage')
  if (!name) return
  const inner = worker as unknown as Record<symbol, Receive>
  const receive = inner[name]!
  const ended = new Set<unknown>()
  inner[name] = value => {
    const message = Object(value) as InnerMessage
    if (message.type === 'upAndRunning' || message.type === 'couldNotSerializeError') receive.call(worker, message)
    else if (message.type === 'stdioPayload') receiveOutput(message, ended, output => receive.call(worker, output))
    else if (message.type === 'errorMessage') {
      try {
        receive.call(worker, message)
      } catch {
        // The error was forged, as its listeners throw nothing themselves. The worker's exit is reported when it ends.
      }
    }
  }
}

function receiveOutput({ type, stream, chunks }: InnerMessage, ended: Set<unknown>, receive: Receive): void {
  if ((stream !== 'stdout' && stream !== 'stderr') || !Array.isArray(chunks)) return
  for (const { chunk, encoding } of Array.from(chunks as unknown[], Object) as Record<string, unknown>[]) {
    if (ended.has(stream)) return
    if (chunk === null) ended.add(stream)
    else if (!isText(chunk, encoding) && !isUnsharedBytes(chunk)) continue
    receive({ type, stream, chunks: [{ chunk, encoding: typeof chunk === 'string' ? encoding : '' }] })
  }
}

const isText = (chunk: unknown, encoding: unknown): boolean =>
  typeof chunk === 'string' && typeof encoding === 'string' && Buffer.isEncoding(encoding)

/** Refuses shared memory, which could change while it is read. */
const isUnsharedBytes = (chunk: unknown): boolean => isUint8Array(chunk) && isArrayBuffer(chunk.buffer)
