// Removes what Node's permission model leaves open in a worker, before any code of the frontend is loaded. It runs last: the
// worker's entry has read its port and its data by then. docs/reference/security.md lists what cannot be removed.
// Node's modules are not imported, because frontends without a sandbox load this file too, and an `import` of each costs more.
import type { NetConnectOpts } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { CompileFunctionOptions } from 'node:vm'
import threads from 'node:worker_threads'
import { type Callable, checkArguments, getHidden, wrap } from './check-arguments.js'
import { createThreadOutput } from './thread-output.js'

type FileSystem = typeof import('node:fs')
type Holder = Record<string, unknown>

/** Functions that throw from now on. Names that this version of Node does not have are ignored. */
const listRemovedFunctions = (): readonly [module: string, holder: object, names: readonly string[]][] => [
  // Signals, including the one that opens the inspector; Node's internals; a writer that bypasses the captured streams.
  ['process', process, ['kill', '_kill', '_debugProcess', '_linkedBinding', '_rawDebug']],
  // Flags belong to the whole process, and heap snapshots are files.
  [
    'v8',
    process.getBuiltinModule('node:v8'),
    ['setFlagsFromString', 'setHeapSnapshotNearHeapLimit', 'setHeapProfileNearHeapLimit'],
  ],
  // Without an inspector they have no effect, and a correct call ends the process.
  ...(['Network', 'NetworkResources', 'DOMStorage'] as const).map((name): [string, object, string[]] => {
    const holder =
      (process.getBuiltinModule('node:inspector') as unknown as Record<string, object | undefined>)[name] ?? {}
    return [`inspector.${name}`, holder, Object.keys(holder)]
  }),
  // They take bytecode, and exist only with a flag that no frontend has.
  ['vm', process.getBuiltinModule('node:vm'), ['Module', 'SourceTextModule', 'SyntheticModule']],
  ['os', process.getBuiltinModule('node:os'), ['setPriority']],
  ['worker_threads', threads, ['postMessageToThread', 'getEnvironmentData', 'setEnvironmentData', 'BroadcastChannel']],
]

const DESCRIPTOR_FUNCTIONS = [
  ...['read', 'readv', 'write', 'writev', 'readFile', 'writeFile', 'appendFile', 'truncate', 'close'],
  ...['fstat', 'fsync', 'fdatasync', 'ftruncate', 'fchmod', 'fchown', 'futimes'],
]

/** Those that take the descriptors of standard output and standard error, too. */
const OUTPUT_FUNCTION = /^(?:write|append)/

const ignoreClose: Callable = (_target, callback) => {
  if (typeof callback === 'function') process.nextTick(callback as Callable, null)
}

export async function harden(): Promise<void> {
  // A process has no descriptors of the host, and opens its own output as a socket.
  const fileHandle = threads.isMainThread ? undefined : await getFileHandlePrototype()
  for (const [module, holder, names] of listRemovedFunctions()) {
    for (const name of names) if (name in holder) replace(holder, name, createRefusal(`${module}.${name}`))
  }
  replaceWithInert()
  replace(globalThis, 'BroadcastChannel', undefined)
  replace(threads, 'workerData', null)
  // Locks belong to the whole process.
  if ('locks' in threads) replace(threads, 'locks', undefined)
  const { navigator } = globalThis as { navigator?: object }
  if (navigator) replace(navigator, 'locks', undefined)
  const openDescriptors = guardDescriptors(process.getBuiltinModule('node:fs'))
  if (fileHandle) {
    guardSockets(openDescriptors)
    guardPipes(openDescriptors, fileHandle)
  }
  checkArguments()
  limitObjectQueries()
  refuseCachedData()
  removeSignals()
  removeTracing()
  removeExperiments()
  nameUser()
  emptyInput()
  findFurtherPackages()
  process.getBuiltinModule('node:module').syncBuiltinESMExports()
}

/** Where parts of a `node_modules` are left out, `require` takes a package that is missing for a denial, and looks no further. */
function findFurtherPackages(): void {
  const { realpathSync } = process.getBuiltinModule('node:fs')
  const isMissing = ({ resource }: { resource?: unknown }): boolean => {
    try {
      if (/[\\/]package\.json$/.test(String(resource))) realpathSync(String(resource).slice(0, -'/package.json'.length))
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT'
    }
    return false
  }
  wrap(process.getBuiltinModule('node:module'), '_findPath', original => (request, paths, isMain) => {
    const find = (places: unknown): unknown => {
      try {
        return original(request, places, isMain)
      } catch (error) {
        if (!isMissing(Object(error))) throw error
        return false
      }
    }
    return Array.isArray(paths) ? paths.reduce((found, path) => found || find([path]), false) : find(paths)
  })
}

/**
 * Replaces what libraries read without a check, and what they call to describe a process, with values that give no access: errors in
 * these places have broken libraries that need nothing of them.
 */
function replaceWithInert(): void {
  // They return the ports of this thread. `prom-client` counts them.
  for (const name of ['_getActiveHandles', '_getActiveRequests']) replace(process, name, () => [])
  // Reports contain the host's environment and command line. Libraries with native addons look for the C library in one.
  const { report } = process
  const getHeader = (): object => {
    const { header }: { header?: { glibcVersionRuntime?: string } } = report.getReport()
    return header?.glibcVersionRuntime === undefined ? {} : { glibcVersionRuntime: header.glibcVersionRuntime }
  }
  replace(process, 'report', { getReport: () => ({ header: getHeader(), sharedObjects: [] }) })
  // Emscripten reads the constants that `node:fs` and `node:os` export.
  const { constants: fs } = process.getBuiltinModule('node:fs')
  const { constants: os } = process.getBuiltinModule('node:os')
  const refuse = createRefusal('process.binding')
  replace(process, 'binding', (name: unknown) => (name === 'constants' ? { fs: { ...fs }, os: { ...os } } : refuse()))
  // Sentry takes a thread without a port for one of Node's own.
  if (!threads.isMainThread) replace(threads, 'parentPort', createInertPort())
}

/** Returns a port without another end: nothing arrives, and what is posted is dropped. */
function createInertPort(): object {
  const { EventEmitter } = process.getBuiltinModule('node:events')
  const names = ['postMessage', 'start', 'close', 'ref', 'unref', 'addEventListener', 'removeEventListener']
  return Object.assign(new EventEmitter(), Object.fromEntries(names.map(name => [name, () => {}])))
}

type Descriptors = Pick<Set<unknown>, 'add' | 'delete' | 'has'>

/** Returns a set whose methods a frontend cannot replace, contrary to those of `Set.prototype`. */
function createDescriptors(): Descriptors {
  const set = new Set<unknown>()
  return { add: set.add.bind(set), delete: set.delete.bind(set), has: set.has.bind(set) }
}

/**
 * Limits `node:fs` to file descriptors that this worker has opened itself. Descriptors belong to the whole process: by number, a
 * worker could read the host's sockets, or write to its output. Returns the open ones.
 */
export function guardDescriptors(fs: FileSystem): Descriptors {
  const openDescriptors = createDescriptors()
  const printing = createThreadOutput()
  for (const name of DESCRIPTOR_FUNCTIONS.flatMap(name => [name, `${name}Sync`])) {
    const isClose = name.startsWith('close')
    wrap(fs, name, original => {
      // The standard streams stay open, as `process.stdout` does: its number would be that of the next file.
      const output = isClose ? ignoreClose : OUTPUT_FUNCTION.test(name) ? (printing[name] ?? original) : undefined
      return (target, ...rest) => {
        // Node 20 ends the process at a symbol.
        if (typeof target === 'symbol' || (typeof target === 'number' && !openDescriptors.has(target))) {
          // Standard error of a process is its own, and its standard output has more than what its code prints.
          if (output && target === 2 && threads.isMainThread) return (isClose ? output : original)(target, ...rest)
          if (output && (target === 1 || target === 2)) return output(target, ...rest)
          return denyDescriptor(name, rest.at(-1))
        }
        if (isClose) openDescriptors.delete(target)
        return original(target, ...rest)
      }
    })
  }
  wrap(fs, 'openSync', original => (...args) => {
    try {
      const descriptor = original(...args)
      openDescriptors.add(descriptor)
      return descriptor
    } catch (error) {
      throw nameWrite(error, args[1])
    }
  })
  wrap(fs, 'open', original => (...args) => {
    const callback = args.pop() as Callable
    if (typeof callback !== 'function') return original(...args, callback)
    try {
      return original(...args, (error: unknown, descriptor: unknown) => {
        if (!error) openDescriptors.add(descriptor)
        callback(nameWrite(error, args[1]), descriptor)
      })
    } catch (error) {
      throw nameWrite(error, args[1])
    }
  })
  // Node throws for a path that may not be read, although the function never throws otherwise.
  wrap(fs, 'existsSync', original => path => {
    try {
      return original(path)
    } catch {
      return false
    }
  })
  return openDescriptors
}

/** A file that is opened for both is denied as a read first, but reading it would not be enough. Returns the error. */
function nameWrite(error: unknown, flags: unknown): unknown {
  const denial = error as { code?: unknown; permission?: unknown } | null
  const isWrite = typeof flags === 'string' ? /[wa+]/.test(flags) : typeof flags === 'number' && (flags & 3) !== 0
  if (isWrite && denial?.code === 'ERR_ACCESS_DENIED' && denial.permission === 'FileSystemRead') {
    denial.permission = 'FileSystemWrite'
  }
  return error
}

/**
 * Limits sockets and servers to the same descriptors, and removes terminals. By number, a worker could read the pipes of frontends in
 * processes of their own. Whatever takes a descriptor opens it through one of these handles.
 */
function guardSockets(openDescriptors: Descriptors): void {
  // Frontends can replace `Function.prototype.call` and `Reflect.apply`, which would be given the original.
  const { apply } = Reflect
  for (const handle of [getSocketHandle({ port: -1 }), getSocketHandle({ path: {} }), getDatagramHandle()]) {
    const prototype: { open: Callable } = Object.getPrototypeOf(handle)
    const { open } = prototype
    const refuse = createRefusal('opening a socket by a foreign descriptor')
    replace(prototype, 'open', function (this: unknown, descriptor: unknown) {
      // The socket closes the descriptor, whose number the host might get next.
      return openDescriptors.delete(descriptor) ? apply(open, this, [descriptor]) : refuse()
    })
  }
  const tty = process.getBuiltinModule('node:tty')
  for (const name of ['ReadStream', 'WriteStream'] as const) {
    const { prototype } = tty[name]
    const refuse = createRefusal(`tty.${name}`)
    // Libraries test with `instanceof`.
    refuse.prototype = prototype
    replace(prototype, 'constructor', refuse)
    replace(tty, name, refuse)
  }
}

type FileHandle = { readonly fd: number; releaseFD(): void }

/**
 * Limits http2's `respondWithFD` to the same descriptors: by number, a worker could read the host's files. Node makes a native
 * `FileHandle` for each file that it pipes, and sets its `stream`.
 */
function guardPipes(openDescriptors: Descriptors, prototype: FileHandle): void {
  const refuse = createRefusal('http2.respondWithFD of a foreign descriptor')
  // Cannot be configured, because Node would set a property without it.
  Object.defineProperty(prototype, 'stream', {
    set(this: FileHandle, value: { ownsFd?: boolean }) {
      if (!openDescriptors.has(this.fd)) {
        // Otherwise garbage collection closes the descriptor.
        this.releaseFD()
        refuse()
      }
      if (value.ownsFd) openDescriptors.delete(this.fd)
      Object.defineProperty(this, 'stream', { value })
    },
  })
}

async function getFileHandlePrototype(): Promise<FileHandle> {
  const file = await process.getBuiltinModule('node:fs').promises.open(fileURLToPath(import.meta.url))
  const handle = getHidden(file, 'kHandle')
  await file.close()
  return Object.getPrototypeOf(handle)
}

/** Returns the handle of a socket that could not connect, because the options are invalid. */
function getSocketHandle(options: object): object {
  const socket = new (process.getBuiltinModule('node:net').Socket)()
  try {
    socket.connect(options as NetConnectOpts)
  } catch {
    // Node checks the options after it has made the handle.
  }
  const { _handle: handle } = socket as unknown as { _handle: object }
  socket.destroy()
  return handle
}

function getDatagramHandle(): object {
  // Without a function, Node would load `node:dns`.
  const socket = process.getBuiltinModule('node:dgram').createSocket({ type: 'udp4', lookup: () => {} })
  const { handle } = getHidden(socket, 'state symbol') as { handle: object }
  socket.close()
  return handle
}

function denyDescriptor(name: string, callback: unknown): void {
  const error = createError(`fs.${name}: in a frontend's sandbox, only for files that the frontend has opened itself`)
  if (typeof callback !== 'function') throw error
  process.nextTick(callback as Callable, error)
}

/** Limits `v8.queryObjects` to its default, a count: a summary describes objects of Node's own, and ends the process at some of them. */
function limitObjectQueries(): void {
  const v8 = process.getBuiltinModule('node:v8')
  const { queryObjects } = v8
  replace(v8, 'queryObjects', (type: typeof Object) => queryObjects(type, { format: 'count' }))
}

/**
 * Refuses code caches. V8 runs their bytecode without verifying it, so a built one reads and writes any memory of the process. All of
 * Node's functions that make scripts call the native constructor that `vm.Script` extends.
 */
function refuseCachedData(): void {
  const refuse = createRefusal('vm with cachedData')
  // Frontends can replace `Reflect.construct`, which would be given the native constructor.
  const { construct } = Reflect
  const vm = process.getBuiltinModule('node:vm')
  const native: { prototype: object } = Object.getPrototypeOf(vm.Script)
  function ContextifyScript(...args: unknown[]): object {
    return args[4] === undefined ? construct(native as never, args, new.target) : refuse()
  }
  ContextifyScript.prototype = native.prototype
  replace(native.prototype, 'constructor', ContextifyScript)
  Object.setPrototypeOf(vm.Script, ContextifyScript)
  const { compileFunction } = vm
  replace(vm, 'compileFunction', (code: string, params?: string[], options: CompileFunctionOptions = {}) => {
    // A copy, because a getter could return something else the second time.
    const copy = { ...options }
    return copy.cachedData === undefined ? compileFunction(code, params, { ...copy, cachedData: undefined }) : refuse()
  })
}

/** For a process that was never started, Node 20 signals the host's whole process group. No process can be started here. */
function removeSignals(): void {
  const { ChildProcess } = process.getBuiltinModule('node:child_process')
  const { _handle: handle } = new ChildProcess() as unknown as { _handle: object }
  replace(Object.getPrototypeOf(handle), 'kill', createRefusal('ChildProcess.kill'))
}

/** Node 20 writes traces to the working directory without asking for permission. Workers cannot create them. */
function removeTracing(): void {
  if (!threads.isMainThread) return
  const traces = process.getBuiltinModule('node:trace_events')
  replace(traces, 'createTracing', createRefusal('trace_events.createTracing'))
}

const EXPERIMENTS: readonly [module: string, names: readonly string[]][] = [
  // It opens files itself, without asking for permission.
  ['sqlite', ['DatabaseSync', 'StatementSync', 'Session', 'backup']],
  // The files in the host's executable.
  ['sea', ['getAsset', 'getAssetAsBlob', 'getRawAsset', 'getAssetKeys']],
]

function removeExperiments(): void {
  const emitWarning = process.emitWarning
  // No frontend has caused the warnings.
  process.emitWarning = () => {}
  for (const [id, names] of EXPERIMENTS) {
    const module = process.getBuiltinModule(`node:${id}`) as Holder | undefined
    for (const name of names) if (module && name in module) replace(module, name, createRefusal(`${id}.${name}`))
  }
  process.emitWarning = emitWarning
}

/** The id of a user without rights. */
export const NOBODY = 65534

/** Node throws if a process asks for its user in a system that does not know one, as in a container. */
export function nameUser(): void {
  const os = process.getBuiltinModule('node:os')
  try {
    os.homedir()
  } catch {
    const homedir = '/nonexistent'
    replace(os, 'homedir', () => homedir)
    replace(os, 'userInfo', () => ({ uid: NOBODY, gid: NOBODY, username: 'nobody', homedir, shell: null }))
  }
}

/** Ends the standard input of a process, as Node does in a worker. Node would read it by its descriptor, which throws. */
export function emptyInput(): void {
  if (!threads.isMainThread) return
  const { Readable } = process.getBuiltinModule('node:stream')
  replace(process, 'stdin', Readable.from([], { objectMode: false }))
}

export function replace(holder: object, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, writable: true, enumerable: true, configurable: true })
}

export function createRefusal(name: string): () => never {
  return function refused() {
    throw createError(`${name} is not available in a frontend's sandbox`)
  }
}

const createError = (text: string): Error => Object.assign(new Error(text), { code: 'ERR_ACCESS_DENIED' })
