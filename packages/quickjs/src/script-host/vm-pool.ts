// VMs of QuickJS that have evaluated the inside, each a copy of one image. A VM that is no longer used gets all of its memory overwritten
// for the next script: a new one costs ten times as much (docs/adr/0039-scripts-in-quickjs.md).
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { EngineModule } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { compileEngine } from '@sallyport/protocol/internal/util'
import { type JSValueHandle, QuickJS, type QuickJSOptions, type Snapshot } from 'quickjs-wasi'
import { type BaseImage, readBaseImage, type VmImage } from './vm-image.js'

/** The names of the host functions that the inside calls. */
export const SEND = 'send'
export const SEND_FRAME = 'sendFrame'

/** VMs that wait for a script, in each thread. */
const MAX_FREE = 8
/** Milliseconds in which VMs are instantiated before the event loop goes on. */
const MAX_TURN_MS = 8
const PAGE = 65_536
/** A VM that has grown by more pages than these is not kept. */
const MAX_GROWN_PAGES = 32
/** What a VM allocates before the first search for cycles, which takes as long as hundreds of calls. */
const GC_THRESHOLD_BYTES = 2 ** 20
/** Where the context of a VM has its count of jumps and calls until the engine asks whether to stop. */
const COUNTDOWN_OFFSET = 292

/** Members of `QuickJS` that its types hide. The version of the package is fixed. */
interface Internals {
  _global: null
  _undefined: null
  _null: null
  _true: null
  _false: null
  _activeScope: null
  _ownedHandles: Set<JSValueHandle>
  hostCallbacks: Map<string, unknown>
}
const { applyLimits } = QuickJS as unknown as { applyLimits(vm: QuickJS, options: Partial<QuickJSOptions>): void }

export type VmOptions = Omit<QuickJSOptions, 'wasm'>

interface Pool {
  module: EngineModule
  /** A VM that has evaluated the inside. */
  snapshot: Snapshot
  pages: BaseImage['pages']
  free: QuickJS[]
}

let pool: Promise<Pool> | undefined

// Only TypeScript's types of browsers have it.
declare const WebAssembly: {
  instantiate(module: EngineModule, imports: object): Promise<object>
  Instance: new (module: EngineModule, imports: object) => object
}

/** Compiles QuickJS, unless the host has done so, and reads the image. Once for each thread. */
export const prepareVms = (module?: EngineModule): Promise<Pool> => (pool ??= createPool(module))

async function createPool(compiled?: EngineModule): Promise<Pool> {
  const [module, image] = await Promise.all([getModule(compiled), readBaseImage()])
  // The asynchronous form waits in the queue of V8's threads, behind the optimization of the engine's code: up to 250 ms.
  WebAssembly.instantiate = async (engine, imports) => createInstance(engine, imports)
  const { vm, snapshot } = await expandImage(module, image)
  return { module, snapshot, pages: image.pages, free: [vm] }
}

/** Returns the memory that snapshots differ from. @param image - of an earlier release. @default that of this one */
export async function getBase(image?: Uint8Array): Promise<Uint8Array> {
  const { module, snapshot } = await prepareVms()
  return image ? (await expandImage(module, await readBaseImage(image))).snapshot.memory : snapshot.memory
}

async function expandImage(
  module: EngineModule,
  { pages, memoryBytes, ...registers }: BaseImage,
): Promise<{ vm: QuickJS; snapshot: Snapshot }> {
  const snapshot = { ...registers, memory: new Uint8Array(memoryBytes), extensions: [] }
  const vm = await instantiate(module, snapshot)
  snapshot.memory.set(new Uint8Array(vm._getExports().memory.buffer).subarray(0, memoryBytes))
  for (const { at, content } of pages) snapshot.memory.set(content, at)
  return { vm, snapshot }
}

const getModule = async (compiled: EngineModule | undefined): Promise<EngineModule> =>
  compiled ?? compileEngine(await readFile(fileURLToPath(import.meta.resolve('quickjs-wasi/quickjs.wasm'))))

const FEW_ADDRESSES =
  'QuickJS found no free range of addresses. V8 reserves about 10 GiB of them for each VM, though they take no memory: ' +
  'raise the limit of the address space (ulimit -v, LimitAS of systemd), run fewer scripts at once, or use another sandbox'

/** @throws {BusError} Crashed if the system limits the addresses of the process */
function createInstance(engine: EngineModule, imports: object): object {
  try {
    return new WebAssembly.Instance(engine, imports)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new BusError('Crashed', FEW_ADDRESSES, { cause })
  }
}

/** Instantiates a VM whose memory is not that of the snapshot yet. */
const instantiate = (module: EngineModule, snapshot: Snapshot): Promise<QuickJS> =>
  QuickJS.restore({ ...snapshot, memory: new Uint8Array() }, { wasm: module })

let lastTurn: Promise<void> = Promise.resolve()
let turnStart = 0

/** Resolves when another VM can be instantiated: many at once would keep the scripts that run already from running. */
const waitForTurn = (): Promise<void> =>
  (lastTurn = lastTurn.then(async () => {
    if (performance.now() - turnStart < MAX_TURN_MS) return
    await new Promise(resolve => setImmediate(resolve))
    turnStart = performance.now()
  }))

/** @param image - the state of the VM, instead of that in which a script begins */
export async function takeVm(options: VmOptions, image?: VmImage): Promise<QuickJS> {
  const { module, snapshot, pages, free } = await prepareVms()
  const state = image ?? snapshot
  if (free.length === 0) await waitForTurn()
  const used = free.pop()
  const vm = used ?? (await instantiate(module, snapshot))
  const exports = vm._getExports()
  const missing = Math.ceil((state.memory.length - exports.memory.buffer.byteLength) / PAGE)
  if (missing > 0) exports.memory.grow(missing)
  const memory = new Uint8Array(exports.memory.buffer)
  if (used || image) {
    memory.set(state.memory)
    memory.fill(0, state.memory.length)
  } else {
    for (const { at, content } of pages) memory.set(content, at)
  }
  exports.qjs_set_runtime_and_context(state.runtimePtr, state.contextPtr)
  exports.__stack_pointer.value = state.stackPointer
  applyLimits(vm, options)
  vm.gcThreshold = GC_THRESHOLD_BYTES
  getCountdown(vm)[0] = 1
  return vm
}

/**
 * Returns the count of jumps and calls until the engine asks whether to stop. It begins at 10,000 before each question, which is minutes if
 * each call is one of `sort`. The array is empty once the VM has more memory.
 */
export function getCountdown(vm: QuickJS): Int32Array {
  const { memory, qjs_get_context_ptr: getContext } = vm._getExports()
  return new Int32Array(memory.buffer, getContext() + COUNTDOWN_OFFSET, 1)
}

/** Copies the state of a VM while nothing of it is on the stack. */
export function captureVm(vm: QuickJS, handles: readonly JSValueHandle[]): VmImage {
  const { memory, stackPointer, runtimePtr, contextPtr } = vm.snapshot()
  return { memory, stackPointer, runtimePtr, contextPtr, handles: handles.map(handle => vm.exportHandle(handle)) }
}

/** Takes a VM back, of which no handle is used any more. */
export async function returnVm(vm: QuickJS): Promise<void> {
  const { snapshot, free } = await prepareVms()
  const { byteLength } = vm._getExports().memory.buffer
  if (free.length >= MAX_FREE || byteLength > snapshot.memory.length + MAX_GROWN_PAGES * PAGE) return vm.dispose()
  const internals = vm as unknown as Internals
  for (const name of ['_global', '_undefined', '_null', '_true', '_false', '_activeScope'] as const)
    internals[name] = null
  internals._ownedHandles.clear()
  internals.hostCallbacks.clear()
  free.push(vm)
}

/** Beyond it a value is taken for one that contains itself. */
const MAX_DEPTH = 100

/** Copies a value of this thread into a VM, as `structuredClone` copies it. */
export function toHandle(vm: QuickJS, value: unknown, depth = 0): JSValueHandle {
  if (typeof value !== 'object' || value === null) return vm.hostToHandle(value)
  if (depth > MAX_DEPTH) throw new TypeError('The data of a script is nested too deeply, or contains itself')
  const construct = (name: string, ...args: JSValueHandle[]): JSValueHandle => {
    const constructor = vm.global.getProp(name)
    const instance = vm.construct(constructor, ...args)
    for (const handle of [constructor, ...args]) handle.dispose()
    return instance
  }
  const next = (item: unknown): JSValueHandle => toHandle(vm, item, depth + 1)
  if (value instanceof Date) return construct('Date', vm.newNumber(Number(value)))
  if (value instanceof RegExp) return construct('RegExp', vm.newString(value.source), vm.newString(value.flags))
  if (value instanceof Map || value instanceof Set) return construct(value.constructor.name, next([...value]))
  if (value instanceof ArrayBuffer) return vm.newArrayBuffer(value)
  if (ArrayBuffer.isView(value))
    return construct(
      Buffer.isBuffer(value) ? 'Uint8Array' : value.constructor.name,
      vm.newArrayBuffer(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)),
    )
  const copy = value instanceof Error ? construct('Error', vm.newString(value.message)) : undefined
  const target = copy ?? (Array.isArray(value) ? vm.newArray() : vm.newObject())
  for (const [key, item] of Object.entries(value)) {
    const handle = next(item)
    // An assignment to `__proto__` would set the prototype.
    vm.defineProp(target, key, handle, { configurable: true, enumerable: true, writable: true })
    handle.dispose()
  }
  return target
}
