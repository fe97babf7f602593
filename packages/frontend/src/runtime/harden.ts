// Removes what Node's permission model leaves open in a worker, before any code of the frontend is loaded.
import { ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import v8 from 'node:v8'
import threads from 'node:worker_threads'

// File descriptors are the whole process's: with a number, a worker could read the host's sockets, or write to its output.
// After this, `node:fs` takes only those that this worker has opened itself.
type Callable = (...args: unknown[]) => unknown
type FileSystem = typeof import('node:fs')

const BY_DESCRIPTOR = [
  ...['read', 'readv', 'write', 'writev', 'readFile', 'writeFile', 'appendFile', 'truncate', 'close'],
  ...['fstat', 'fsync', 'fdatasync', 'ftruncate', 'fchmod', 'fchown', 'futimes'],
]

function guardDescriptors(fs: FileSystem): void {
  const own = new Set<unknown>()
  const functions = fs as unknown as Record<string, Callable>
  const wrap = (name: string, make: (original: Callable) => Callable): void => {
    const original = functions[name]!
    const wrapped = make(original)
    // Among them what `promisify` looks for.
    Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original))
    functions[name] = wrapped
  }
  for (const name of BY_DESCRIPTOR.flatMap(one => [one, `${one}Sync`])) {
    const closes = name.startsWith('close')
    wrap(name, original => (first, ...rest) => {
      if (typeof first === 'number' && !own.has(first)) return refuse(name, rest.at(-1))
      if (closes) own.delete(first)
      return original(first, ...rest)
    })
  }
  wrap('openSync', original => (...args) => {
    const descriptor = original(...args)
    own.add(descriptor)
    return descriptor
  })
  wrap('open', original => (...args) => {
    const done = args.pop() as Callable
    if (typeof done !== 'function') return original(...args, done)
    return original(...args, (error: unknown, descriptor: unknown) => {
      if (!error) own.add(descriptor)
      done(error, descriptor)
    })
  })
}

function refuse(name: string, done: unknown): void {
  const error = Object.assign(
    new Error(`fs.${name}: in a frontend’s sandbox, only of a file that the frontend has opened itself`),
    { code: 'ERR_ACCESS_DENIED' },
  )
  if (typeof done !== 'function') throw error
  process.nextTick(done as Callable, error)
}

// Takes away what Node's permission model leaves open in a worker, before any code of the frontend's is loaded. Run last:
// the worker's entry has taken its port and its data by then. docs/security.md tells what can't be taken.

type Holder = Record<string, unknown>

/** They throw from now on. Names that this Node doesn't know are passed over. */
const REFUSED: readonly [where: string, holder: object, names: readonly string[]][] = [
  // Signals, also the one that opens the inspector; Node's own parts; a writer past the captured streams.
  ['process', process, ['kill', '_kill', '_debugProcess', '_debugEnd', 'binding', '_linkedBinding', '_rawDebug']],
  // They hand out the ports of this thread.
  ['process', process, ['_getActiveHandles', '_getActiveRequests']],
  // Flags are the whole process's: with natives, one call ends it.
  ['v8', v8, ['setFlagsFromString', 'setHeapSnapshotNearHeapLimit']],
  ['os', os, ['setPriority']],
  ['worker_threads', threads, ['postMessageToThread', 'getEnvironmentData', 'setEnvironmentData', 'BroadcastChannel']],
]

export function harden(): void {
  for (const [where, holder, names] of REFUSED) {
    for (const name of names) if (name in holder) replace(holder, name, refusal(`${where}.${name}`))
  }
  // Reports hold the environment and the command line of the host.
  replace(process, 'report', undefined)
  replace(globalThis, 'BroadcastChannel', undefined)
  replace(threads, 'parentPort', null)
  replace(threads, 'workerData', null)
  // Locks are the whole process's.
  if ('locks' in threads) replace(threads, 'locks', undefined)
  const { navigator } = globalThis as { navigator?: object }
  if (navigator) replace(navigator, 'locks', undefined)
  guardDescriptors(fs)
  takeSignals()
  stopTraces()
  closeDatabases()
  syncBuiltinESMExports()
}

/** Of a process that was never started, Node 20 signals the host's whole group. No process can be started here. */
function takeSignals(): void {
  const { _handle: handle } = new ChildProcess() as unknown as { _handle: object }
  replace(Object.getPrototypeOf(handle) as object, 'kill', refusal('ChildProcess.kill'))
}

/** Node 20 writes them to the working directory, and asks no permission. In a worker there are none. */
function stopTraces(): void {
  if (!threads.isMainThread) return
  const traces = createRequire(import.meta.url)('node:trace_events') as object
  replace(traces, 'createTracing', refusal('trace_events.createTracing'))
}

/** SQLite opens files by itself, and asks no permission. */
function closeDatabases(): void {
  const find = (process as { getBuiltinModule?: (id: string) => Holder | undefined }).getBuiltinModule
  if (!find) return
  const emit = process.emitWarning
  // It warns of being an experiment, which nobody here has asked for.
  process.emitWarning = () => {}
  const sqlite = find('node:sqlite')
  process.emitWarning = emit
  for (const name of ['DatabaseSync', 'StatementSync', 'Session', 'backup']) {
    if (sqlite && name in sqlite) replace(sqlite, name, refusal(`sqlite.${name}`))
  }
}

function replace(holder: object, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, writable: true, enumerable: true, configurable: true })
}

function refusal(name: string): () => never {
  return function refused() {
    throw Object.assign(new Error(`${name} is not there in a frontend’s sandbox`), { code: 'ERR_ACCESS_DENIED' })
  }
}
