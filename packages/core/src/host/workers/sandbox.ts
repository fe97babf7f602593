// A worker under Node's permission model: it reads what it is made of, writes nothing, starts nothing, and has neither the
// host's environment nor its output. What Node leaves open is taken away in the worker itself (frontend/src/harden.ts).
import { realpathSync } from 'node:fs'
import { type ResourceLimits, type TransferListItem, Worker } from 'node:worker_threads'
import { BusError } from '@sallyport/protocol'
import { getFlags, isWithin, joinGrants, type ReadGrants, getReadGrants, getModuleGrants } from './read-grants.js'
import { type Entry, findEntry, spawnWorker } from './spawn.js'

// Node's own messages between a worker and its host, such as what the worker writes, come over a port that code in the worker
// can find; and Node believes them: any other message is an uncaught error here, which ends the host. So only those get in
// that Node itself would send.

type Take = (message: object) => void
type Said = { type?: unknown; stream?: unknown; chunks?: unknown }

function guardInnerPort(worker: Worker): void {
  const name = Object.getOwnPropertySymbols(Worker.prototype).find(({ description }) => description === 'kOnMessage')
  if (!name) return
  const inner = worker as unknown as Record<symbol, Take>
  const take = inner[name]!
  const ended = new Set<unknown>()
  inner[name] = message => {
    const said = Object(message) as Said
    if (said.type === 'upAndRunning' || said.type === 'couldNotSerializeError') take.call(worker, said)
    else if (said.type === 'errorMessage') takeError(() => take.call(worker, said))
    else if (said.type === 'stdioPayload') takeOutput(said, ended, output => take.call(worker, output))
  }
}

/** An error comes in bytes, which may be none. Those who hear of it throw nothing themselves. */
function takeError(take: () => void): void {
  try {
    take()
  } catch {
    // The worker has lied. When it ends, its exit is told.
  }
}

function takeOutput({ type, stream, chunks }: Said, ended: Set<unknown>, take: Take): void {
  if ((stream !== 'stdout' && stream !== 'stderr') || !Array.isArray(chunks)) return
  for (const { chunk, encoding } of Array.from(chunks as unknown[], Object) as Record<string, unknown>[]) {
    if (ended.has(stream)) return
    if (chunk === null) ended.add(stream)
    else if (!isText(chunk, encoding) && !isOwnBytes(chunk)) continue
    take({ type, stream, chunks: [{ chunk, encoding: typeof chunk === 'string' ? encoding : '' }] })
  }
}

const isText = (chunk: unknown, encoding: unknown): boolean =>
  typeof chunk === 'string' && typeof encoding === 'string' && Buffer.isEncoding(encoding)

/** Shared memory could change while it is read. */
const isOwnBytes = (chunk: unknown): boolean => chunk instanceof Uint8Array && chunk.buffer instanceof ArrayBuffer

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
/** Of a worker and of a process. Until 22.13 Node had the model as an experiment, and warned of it with each start. */
export const MODEL: readonly string[] =
  major > 23 || (major === 23 && minor >= 5) || (major === 22 && minor >= 13)
    ? ['--permission']
    : ['--experimental-permission', '--disable-warning=ExperimentalWarning']

/**
 * Since 22 Node grants what it takes for the program that the process was started with; a worker has none, and the empty name
 * stands for the working directory. A process that is interactive has no program: there nothing is granted. A worker heeds
 * this flag in no other way.
 */
const PERMISSION = [...MODEL, '--interactive']

/** In MB. With less, it is more often the whole process that ends of a table that grows: docs/adr/0016. */
const HEAP = { maxOldGenerationSizeMb: 2048 }

export interface SandboxedWorker {
  entry: Entry
  workerData: object
  transferList: TransferListItem[]
  reads: ReadGrants
  resourceLimits?: ResourceLimits | undefined
}

/** What a guest's module may read, with Sallyport's own packages and what `sandbox.read` adds. */
export const getFrontendGrants = (entry: Entry, module: URL, more: readonly URL[]): ReadGrants =>
  joinGrants([getEntryGrants(entry), getModuleGrants(module), ...more.map(getReadGrants)])

/** A script reads nothing: this is for those that load it. */
export const getScriptGrants = (entry: Entry, runner: string, script: URL): ReadGrants =>
  joinGrants([...[entry, runner].map(getEntryGrants), ...(script.protocol === 'file:' ? [getReadGrants(script)] : [])])

export const getGateGrants = (entry: Entry, dir: URL | undefined): ReadGrants =>
  joinGrants([getEntryGrants(entry), ...(dir ? [getReadGrants(dir)] : [])])

/** The working directory, where this worker was not granted it. It sees for itself that it can't read there. */
export function getUnexpectedRead({ folders }: ReadGrants): string | undefined {
  const cwd = realpathSync(process.cwd())
  return isWithin(folders, cwd) ? undefined : cwd
}

/** @throws what `new Worker` throws */
export function spawnSandboxed({ reads, resourceLimits = HEAP, ...start }: SandboxedWorker): Worker {
  const worker = spawnWorker(start.entry, start.workerData, start.transferList, {
    execArgv: [...PERMISSION, ...getFlags(reads)],
    env: {},
    stdout: true,
    stderr: true,
    resourceLimits,
  })
  guardInnerPort(worker)
  return worker
}

/** Node's permission model knows of files alone, and a worker under it has no loader that finds packages in archives. */
const PLUG_N_PLAY =
  'A frontend or gate under Node’s permission model can’t find its modules in the archives of Yarn’s Plug’n’Play: ' +
  'say `nodeLinker: node-modules` in .yarnrc.yml and install again, or give a frontend that you trust `sandbox: "none"`'

const known = new Map<string, ReadGrants>()

/** Sallyport's own: the package of this entry, and the protocol, which each of them imports. They don't move meanwhile. */
function getEntryGrants(entry: Entry): ReadGrants {
  // Bundled, it stands beside this file: the bundler has put both into one folder.
  if (typeof entry === 'function') return getModuleGrants(new URL(import.meta.url))
  if ('pnp' in process.versions) throw new BusError('InvalidParams', PLUG_N_PLAY)
  let reads = known.get(entry)
  if (!reads) {
    const protocol = new URL(findEntry('@sallyport/protocol'))
    reads = joinGrants([new URL(entry), protocol].map(getModuleGrants))
    known.set(entry, reads)
  }
  return reads
}
