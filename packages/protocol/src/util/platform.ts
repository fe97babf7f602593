// Functions that differ between Node and a browser, here for Node. `#platform` is this file, or `platform.browser.ts` for browsers.
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { isAscii, isUtf8 } from 'node:buffer'
import { setMaxListeners } from 'node:events'
import { setImmediate } from 'node:timers'
// `node:util` itself would load parsers of arguments and MIME types, in every thread.
import * as types from 'node:util/types'
import workerThreads from 'node:worker_threads'
import { escapeHidden } from './hidden-characters.js'
import { throwLater } from './promises.js'

// A test environment can replace the globals, as jsdom does, or run this module in a realm of its own, as Jest does. Then `instanceof`
// is false for what Buffers and ports deliver, and elsewhere for what a program has from `node:vm` or a window. So it only says yes, fast: what it does
// not know, and is neither plain data nor a list, is asked for what it is.
const isUnknown = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.getPrototypeOf(value) !== Object.prototype

export const isArrayBuffer = (value: unknown): value is ArrayBuffer =>
  value instanceof ArrayBuffer || (isUnknown(value) && types.isArrayBuffer(value))

export const isUint8Array = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array || (isUnknown(value) && types.isUint8Array(value))

/** True for a Uint8Array (a Buffer too) and an ArrayBuffer: values that the bus sends as raw bytes. */
export const isBytes = (value: unknown): value is Uint8Array | ArrayBuffer =>
  value instanceof Uint8Array ||
  value instanceof ArrayBuffer ||
  (isUnknown(value) && (types.isUint8Array(value) || types.isArrayBuffer(value)))

/** A constant, so that bundles for browsers leave out what is for Node alone. */
export const IS_NODE: boolean = true

let development = process.env['NODE_ENV'] !== 'production'

/** True unless `NODE_ENV` is `production` in the host: error texts and stacks then contain more help. */
export const isDevelopment = (): boolean => development

/** Called once in each worker with what the host says: a sandboxed worker does not have the host's environment. */
export const setDevelopment = (value: boolean): void => void (development = value)

/** Returns uninitialized memory in an ArrayBuffer of its own. */
export const allocate = (size: number): Uint8Array => Buffer.allocUnsafeSlow(size)

/** Returns a view of the same memory that the functions below read fastest. */
export const toReadable = (bytes: Uint8Array): Uint8Array =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const concatBytes = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts)

export const utf8Length = (text: string): number => Buffer.byteLength(text)

export const toUtf8 = (text: string): Uint8Array => Buffer.from(text)

/** Writes at most `size` bytes to memory of `allocate`. Returns the number of bytes written. */
export const writeUtf8 = (target: Uint8Array, text: string, at: number, size: number): number =>
  (target as Buffer).write(text, at, size)

/** Reads memory of `toReadable`. Invalid UTF-8 becomes replacement characters. */
export const readUtf8 = (bytes: Uint8Array, from: number, to: number): string =>
  (bytes as Buffer).toString('utf8', from, to)

/** Reads the first bytes of memory of `toReadable`, one character each. */
export const readLatin1 = (bytes: Uint8Array, size: number): string => (bytes as Buffer).toString('latin1', 0, size)

/** @throws {TypeError} if the bytes are not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  const readable = toReadable(bytes) as Buffer
  const ascii = isAscii(readable)
  if (!ascii && !isUtf8(readable)) throw new TypeError('the text is not UTF-8')
  return ascii ? readable.toString('latin1') : readable.toString('utf8')
}

// A request that imports this package lazily is the context of all modules, and Node has no function for "no context". A resource keeps its
// context in properties beside its ids. Were they elsewhere one day, this would be the context of the import.
const nobody = new AsyncResource('Sallyport')
for (const key of Object.getOwnPropertySymbols(nobody))
  if (!/async_id/.test(String(key))) Reflect.deleteProperty(nobody, key)

/** False in a browser, and in a VM of QuickJS. */
export const HAS_CONTEXTS: boolean = true

/** An async context: what runs in it finds the caller's AsyncLocalStorage. */
export type AsyncContext = Pick<AsyncResource, 'runInAsyncScope'>

/** Deno, in which the process of a frontend can run, and Bun keep what a resource knows in private members, which a copy does not have. */
const CAN_COPY: boolean = !('deno' in process.versions || 'bun' in process.versions)

type Snapshot = (run: () => unknown) => unknown
const createContext = (snapshot: Snapshot): AsyncContext => ({
  runInAsyncScope: (run, self, ...args) => snapshot(() => Reflect.apply(run, self, args)) as ReturnType<typeof run>,
})
/** Taken when this module loads: what imports it first is in no context, as it is the entry of a program or a thread. */
const empty: AsyncContext | undefined = CAN_COPY ? undefined : createContext(AsyncLocalStorage.snapshot())

export const captureContext = (): AsyncContext =>
  CAN_COPY ? new AsyncResource('Sallyport') : createContext(AsyncLocalStorage.snapshot())

/** Returns the context of no caller, for one use: before Node.js 24, `enterWith` changes it for what runs in it next. */
export const createEmptyContext = (): AsyncContext => empty ?? Object.create(nobody)

/**
 * Runs a function in no async context, and returns its result. What arrives, and what the bus opens for all, belongs to no caller: its code would
 * find in an AsyncLocalStorage what whoever opened the bus, or used it first, has there.
 */
export const withoutContext = <T>(run: () => T): T => createEmptyContext().runInAsyncScope(run, undefined)

/** Returns a function that runs in the async context of now. `AsyncLocalStorage.bind` would take microseconds. */
export function bindContext<Args extends unknown[], Result>(run: (...args: Args) => Result): (...args: Args) => Result {
  const context = captureContext()
  if (!CAN_COPY) return (...args) => context.runInAsyncScope(run, undefined, ...args)
  return (...args) => (Object.create(context) as AsyncContext).runInAsyncScope(run, undefined, ...args)
}

/** Milliseconds after which the code of a call has left the processor's caches, so that a tick takes long (docs/adr/0006-polling.md). */
const SILENCE_MS = 5
const SETTLED = Promise.resolve()
// Taken when this module loads: the fake clock of a test replaces the globals. It moves deadlines, which are not here, and never what carries messages.
export const queueMicrotask: (callback: () => void) => void = globalThis.queueMicrotask
export const nextTick: (callback: () => void) => void = process.nextTick
export const readClock: () => number = performance.now.bind(performance)
let lastAskedAt = Number.NEGATIVE_INFINITY

/** Calls back when all promises of this tick have settled. If nothing asked for 5 ms, calls back after those that have settled before. */
export function onEndOfTick(callback: () => void): void {
  const now = performance.now()
  // A gate ignores rejections of promises, which are its hook's.
  if (now - lastAskedAt > SILENCE_MS) SETTLED.then(callback).catch(throwLater)
  else nextTick(callback)
  lastAskedAt = now
}

export const onNextTick = (callback: () => void): void => void setImmediate(callback)

/** One signal can serve a thousand calls. Node would warn of a leak. */
export const allowManyListeners = (signal: AbortSignal): void => setMaxListeners(0, signal)

export const warn = (message: string): void => process.emitWarning(escapeHidden(message))

export const getSystemMessage = (errno: number): string | undefined =>
  process.getBuiltinModule('node:util').getSystemErrorMap().get(errno)?.[1]

/**
 * True for the memory that Node's small Buffers share: it is copied, never moved. Node 20 does that without this check, and lacks the
 * function: bundlers make a named import, which fails, of a member of `import *`.
 */
export const isPooled: (buffer: object) => boolean =
  (workerThreads as { isMarkedAsUntransferable?: (buffer: object) => boolean }).isMarkedAsUntransferable ??
  (() => false)
