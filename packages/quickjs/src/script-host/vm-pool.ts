// VMs of QuickJS that have evaluated the inside, each a copy of one snapshot. A VM that is no longer used gets all of its memory overwritten
// for the next script: a new one costs ten times as much (docs/adr/0039-scripts-in-quickjs.md).
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { constants, deflateRaw, inflateRaw } from 'node:zlib'
import type { EngineModule } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { compileEngine } from '@sallyport/protocol/internal/util'
import { type JSValueHandle, QuickJS, type QuickJSOptions, type Snapshot } from 'quickjs-wasi'

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
const CHUNK = 4096
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

/** The state of a VM: its memory, and what the module keeps beside it. */
export interface VmImage extends Pick<Snapshot, 'memory' | 'stackPointer' | 'runtimePtr' | 'contextPtr'> {
  /** Tokens of handles, in the order that the caller of `captureVm` has. */
  readonly handles: readonly number[]
}

interface Pool {
  module: EngineModule
  /** A VM that has evaluated the inside. */
  snapshot: Snapshot
  /** The parts of its memory that differ from that of a VM which has just been instantiated. */
  chunks: { at: number; content: Uint8Array }[]
  free: QuickJS[]
}

let pool: Promise<Pool> | undefined

// Only TypeScript's types of browsers have it.
declare const WebAssembly: {
  instantiate(module: EngineModule, imports: object): Promise<object>
  Instance: new (module: EngineModule, imports: object) => object
}

const readAsset = (name: string): Buffer => readFileSync(fileURLToPath(import.meta.resolve(name)))

/** Compiles QuickJS, unless the host has done so, and prepares the snapshot. Once for each thread. */
export const prepareVms = (module?: EngineModule): Promise<Pool> => (pool ??= createPool(module))

async function createPool(compiled?: EngineModule): Promise<Pool> {
  const module = compiled ?? (await compileEngine(readAsset('quickjs-wasi/quickjs.wasm')))
  // The asynchronous form waits in the queue of V8's threads, behind the optimization of the engine's code: up to 250 ms.
  WebAssembly.instantiate = async (engine, imports) => createInstance(engine, imports)
  const vm = await QuickJS.create({ wasm: module })
  const holder = vm.newObject()
  for (const name of [SEND, SEND_FRAME])
    holder.setProp(
      name,
      vm.newFunction(name, () => vm.undefined),
    )
  vm.global.setProp('__sallyport', holder)
  holder.dispose()
  vm.evalBytecode(readAsset('#inside')).dispose()
  vm.runGC()
  const snapshot = vm.snapshot()
  vm.dispose()
  const blank = new Uint8Array(snapshot.memory.length)
  const { memory } = await instantiate(module, snapshot)
  blank.set(new Uint8Array(memory.buffer).subarray(0, blank.length))
  return { module, snapshot, chunks: findChunks(snapshot.memory, blank), free: [] }
}

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
async function instantiate(module: EngineModule, snapshot: Snapshot) {
  const vm = await QuickJS.restore({ ...snapshot, memory: new Uint8Array() }, { wasm: module })
  return { vm, memory: vm._getExports().memory }
}

function findChunks(memory: Uint8Array, blank: Uint8Array): Pool['chunks'] {
  const chunks: Pool['chunks'] = []
  for (let at = 0; at < memory.length; at += CHUNK) {
    const content = memory.subarray(at, at + CHUNK)
    if (Buffer.compare(content, blank.subarray(at, at + CHUNK)) !== 0) chunks.push({ at, content })
  }
  return chunks
}

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
  const { module, snapshot, chunks, free } = await prepareVms()
  const state = image ?? snapshot
  if (free.length === 0) await waitForTurn()
  const used = free.pop()
  const vm = used ?? (await instantiate(module, snapshot)).vm
  const exports = vm._getExports()
  const missing = Math.ceil((state.memory.length - exports.memory.buffer.byteLength) / PAGE)
  if (missing > 0) exports.memory.grow(missing)
  const memory = new Uint8Array(exports.memory.buffer)
  if (used || image) {
    memory.set(state.memory)
    memory.fill(0, state.memory.length)
  } else {
    for (const { at, content } of chunks) memory.set(content, at)
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

const compress = promisify(deflateRaw)
const decompress = promisify(inflateRaw)

/** Less than half of the time of the default level, for a tenth more bytes. */
const LEVEL = constants.Z_BEST_SPEED
/** What a VM has beside the memory that its script allocates, with the gaps in it. */
const OVERHEAD_BYTES = 40 * 2 ** 20
const LENGTH_BYTES = 4

/**
 * Returns a script that was interrupted as bytes: the memory of its VM, with the client and its calls. The host keeps them without reading
 * them. Only a script host reads them again, with the limits of any script.
 */
export async function writeSnapshot({ memory, ...registers }: VmImage): Promise<Uint8Array> {
  const state = Buffer.from(JSON.stringify(registers))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(state.length)
  return compress(Buffer.concat([length, state, memory]), { level: LEVEL })
}

/** @param memory - MiB that the script can allocate @throws {BusError} Overloaded if it has more */
export async function readSnapshot(snapshot: Uint8Array, memory: number): Promise<VmImage> {
  const maxOutputLength = memory * 2 ** 20 + OVERHEAD_BYTES
  const bytes = await decompress(snapshot, { maxOutputLength }).catch((cause: NodeJS.ErrnoException) => {
    const text = `The continuation is larger than a script with ${memory} MiB of memory can be. Raise the limit`
    throw cause.code === 'ERR_BUFFER_TOO_LARGE'
      ? new BusError('Overloaded', text, { cause, data: { limit: 'memory', max: memory } })
      : cause
  })
  const start = LENGTH_BYTES + bytes.readUInt32LE()
  const registers = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, start)) as Omit<VmImage, 'memory'>
  return { ...registers, memory: bytes.subarray(start) }
}
