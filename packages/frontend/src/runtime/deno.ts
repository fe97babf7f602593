// All that differs on Deno, whose own permissions are those of the sandbox: output and input as on Node.js, answers that libraries expect, denials
// where code can catch them, and the texts of its errors.
import { fileURLToPath } from 'node:url'
import threads from 'node:worker_threads'
import { createHttpFetch } from './network/http-fetch.js'
import { wrap } from './check-arguments.js'
import { createRefusal, emptyInput, guardDescriptors, nameUser, NOBODY, replace } from './harden.js'

export const IS_DENO: boolean = 'deno' in process.versions

interface Deno {
  readonly stdin: object
  readonly stdout: object
  readonly errors: { readonly NotCapable: { readonly prototype: object } }
}
const getGlobals = () => globalThis as unknown as { Deno: Deno; Worker: object }

/**
 * Emits `uncaughtExceptionMonitor`, which Deno does not have, and exits unless the code has a listener of its own. Returns the number of listeners that
 * it adds to those of `uncaughtException`.
 */
export function emitUncaughtErrors(exit: () => void): number {
  process.on('uncaughtException', (error, origin) => {
    const isHandled = process.listenerCount('uncaughtException') > 1
    const monitored: NodeJS.EventEmitter = process
    monitored.emit('uncaughtExceptionMonitor', error, origin)
    // What is reported is sent first.
    if (!isHandled) setImmediate(exit)
  })
  return 1
}

export function hardenOnDeno(): void {
  const { Console } = process.getBuiltinModule('node:console')
  // Deno's own writes to the pipe of this process by itself.
  for (const [name, method] of Object.entries(new Console(process.stdout, process.stderr)))
    if (typeof method === 'function') Reflect.set(console, name, method)
  const fs = process.getBuiltinModule('node:fs')
  guardDescriptors(fs)
  emptyInput()
  // Deno denies them by errors, and libraries ask without a need.
  const os = process.getBuiltinModule('node:os')
  nameUser()
  replace(os, 'hostname', () => 'localhost')
  replace(os, 'networkInterfaces', () => ({}))
  for (const name of ['getuid', 'geteuid', 'getgid', 'getegid']) replace(process, name, () => NOBODY)
  // Libraries with native addons look for the C library in it. There is no Deno for musl.
  const header = process.platform === 'linux' ? { glibcVersionRuntime: '2.17' } : {}
  replace(process.report, 'getReport', () => ({ header, sharedObjects: [] }))
  // Its denial is an event.
  wrap(fs, 'watch', original => (path, ...rest) => {
    fs.statSync(path as string)
    return original(path, ...rest)
  })
  // It writes to the pipe of this process by itself, too, and Node's permission model denies it. Without these it has no memory.
  const { prototype } = process.getBuiltinModule('node:wasi').WASI
  for (const name of ['start', 'initialize', 'finalizeBindings']) replace(prototype, name, createRefusal('WASI'))
  printByStream()
  readNothing()
  // As Node's. Deno has none.
  replace(getGlobals().Deno.errors.NotCapable.prototype, 'code', 'ERR_ACCESS_DENIED')
  // The denial of a send is thrown where nobody can catch it.
  closeClass(process.getBuiltinModule('node:dgram').Socket, createRefusal('dgram.createSocket'))
  // Deno starts them, with the permissions of this thread, but without all this.
  const { Deno, Worker } = getGlobals()
  for (const worker of [Worker, threads.Worker]) closeClass(worker, createDenial('WorkerThreads'))
  // All of `node:child_process` asks for it first. Of a program that it denies, Deno itself says nothing in the functions that wait.
  replace(Deno, 'execPath', createDenial('ChildProcess'))
  process.getBuiltinModule('node:module').syncBuiltinESMExports()
}

/** From now on nothing else is opened by the number of a descriptor: the process has its own links. */
export function closeDescriptors(): void {
  const { binding } = process as unknown as { binding(name: string): Record<string, { prototype: object }> }
  const classes = [binding.call(process, 'pipe_wrap')['Pipe']!, binding.call(process, 'tcp_wrap')['TCP']!]
  for (const { prototype } of classes) replace(prototype, 'open', createRefusal('opening a socket by a descriptor'))
}

/** Lets nobody construct a class or one that extends it, however it was imported: its constructor calls that of the class which it extends. */
function closeClass(target: object, refuse: () => never): void {
  if (Object.getPrototypeOf(target) === Function.prototype)
    throw new Error('This version of Deno has a class that the sandbox cannot close')
  Object.setPrototypeOf(target, refuse)
  Object.preventExtensions(target)
}

/** Returns what throws the error of Node's permission model. */
const createDenial = (permission: string) =>
  function denied(): never {
    const error = new Error('Access to this API has been restricted')
    throw Object.assign(error, { code: 'ERR_ACCESS_DENIED', permission })
  }

/** Lets `Deno.stdout` write to the output of this process, as `process.stdout` does. Its own writes are bytes between those of the streams. */
function printByStream(): void {
  // Of the class: its methods work with the object, too.
  const stdout: object = Object.getPrototypeOf(getGlobals().Deno.stdout)
  const print = (bytes: Uint8Array, printed?: (error?: Error | null) => void): number => {
    // A copy: the caller can use the memory again.
    process.stdout.write(Uint8Array.from(bytes), printed)
    return bytes.length
  }
  const printAndWait = (bytes: Uint8Array): Promise<number> =>
    new Promise((resolve, reject) => {
      const length = print(bytes, error => (error ? reject(error) : resolve(length)))
    })
  const writes = { writeSync: (bytes: Uint8Array) => print(bytes), write: printAndWait, close() {} }
  for (const [name, value] of Object.entries(writes)) replace(stdout, name, value)
  let writable: object | undefined
  const get = (): object => (writable ??= process.getBuiltinModule('node:stream').Writable.toWeb(process.stdout))
  Object.defineProperty(stdout, 'writable', { get })
}

/** The commands of the relay are in the pipe. */
function readNothing(): void {
  const stdin: object = Object.getPrototypeOf(getGlobals().Deno.stdin)
  const reads = { readSync: () => null, read: () => Promise.resolve(null), setRaw() {}, close() {} }
  for (const [name, value] of Object.entries(reads)) replace(stdin, name, value)
  const get = (): object => new ReadableStream({ start: controller => controller.close() })
  Object.defineProperty(stdin, 'readable', { get })
}

export const createDenoFetch: typeof createHttpFetch = connect => {
  // Deno runs other code while it loads this module, and a second request at that moment would fail.
  process.getBuiltinModule('node:http2')
  return createHttpFetch(connect)
}

const MISSING =
  /^(?:Import "(.+?)" not a dependency|Could not resolve "(.+?)", but found it in a package\.json|Could not find package '(.+?)' from )/

/** Returns Node's text for a package that is missing: Deno advises commands of its own, which do not install what an application on Node has. */
export function explainMissing(message: string): string | undefined {
  const specifier = IS_DENO ? MISSING.exec(message)?.slice(1).find(Boolean) : undefined
  if (specifier === undefined) return undefined
  const [name] = /^(?:@[^/]+\/)?[^/]+/.exec(specifier) ?? [specifier]
  const [, importer] = /(?:\bat |\breferrer ')(file:.+?)(?::\d+:\d+|'\.?)$/m.exec(message) ?? []
  // The text of an `import()` of a computed name does not have it.
  const from = importer === undefined ? '' : ` imported from ${fileURLToPath(importer)}`
  return `Cannot find package '${name}'${from}`
}

const PERMISSIONS = new Map([
  ['read', 'FileSystemRead'],
  ['write', 'FileSystemWrite'],
  ['net', 'Net'],
])

/**
 * Returns what was denied in the words of Node. Deno says it in the message alone, which packages repeat: `Requires read access to "/etc/passwd", run
 * again with the --allow-read flag`.
 */
export function readDenial(message: string): { permission: string; resource?: string | undefined } | undefined {
  // It looks for a program without a path before it asks whether that may be started, and there is no PATH.
  const [, program] = /^Failed to spawn '(.*)': no path to search/s.exec(message) ?? []
  if (program !== undefined) return { permission: 'run', resource: program }
  const [, kind, resource] = /\bRequires (\w+) access(?: to "(.*?)")?, run again with the --allow-/s.exec(message) ?? []
  if (kind !== undefined) return { permission: PERMISSIONS.get(kind) ?? kind, resource }
  return /unscoped --allow-read/.test(message) ? { permission: 'symbolic links' } : undefined
}
