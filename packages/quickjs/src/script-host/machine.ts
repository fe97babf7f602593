// One VM of QuickJS: a copy of a prepared one, with limits. It takes and sends text, and ends for good with the first limit that it reaches.
import { closeSync, openSync, readSync } from 'node:fs'
import { type EngineOptions, SILENT_MS, THREAD_TIME_FILE } from '@sallyport/protocol/internal/contract'
import { scanJson } from '@sallyport/protocol/internal/codec'
import { BusError, describeThrown } from '@sallyport/protocol/internal/errors'
import { FRAME_KIND, getText, type ReceivedFrame } from '@sallyport/protocol/internal/wire'
import { EvalFlags, type JSValueHandle, type QuickJS } from 'quickjs-wasi'
import { type CrossedError, describeError } from './crossing.js'
import { captureVm, getCountdown, returnVm, SEND, SEND_FRAME, takeVm, toHandle, type VmOptions } from './vm-pool.js'
import type { VmImage } from './vm-image.js'

/** Promises whose rejection nobody handles yet, of which the VM keeps a handle. */
const MAX_REJECTIONS = 1000
export const MAX_ERROR_LENGTH = 8192
/** Bytes that a value of JSON takes in this thread, at most: an object with one member of a name like "30". */
export const VALUE_BYTES = 128
/** A text, what is made of it, and the text that is made of that. The VM has as many copies, when it sends one. */
export const TEXT_BYTES = 4
/** Less than this of its time is none. */
const LEAST_MS = 5
/** Jumps and calls between two questions for the time, if a script calls functions that are short. */
const MAX_COUNTDOWN = 100
/** Milliseconds between two questions for the time, if a script calls functions of the engine that take long. */
const MAX_UNASKED_MS = 1

/** Milliseconds of CPU time that a new script host has, in which V8 optimizes the engine's code. They are not part of the time of its scripts. */
const WARM_UP_MS = 500

/** What the module returns for a text that it has no memory to copy. */
const NO_TEXT = '<null>'

const readThreadCpuTime = createThreadClock()

const CPU_AT_START = readThreadCpuTime()
/** What is left of `WARM_UP_MS` in this thread. */
let warmUp = WARM_UP_MS

export interface MachineEvents {
  /** Handles a message of the script, which gets the result. @throws what the script gets as an error, without its stack */
  receive(operation: string, content: string, bytes: Uint8Array | undefined): string | Uint8Array | undefined
  /** Sends a frame to core. Returns true if the link has no room for more. @param kind - not of JSON */
  sendFrame(body: string | Uint8Array, kind: number | undefined): boolean
  /** The script has not handled a rejection yet. @param promise - what `handled` gets if it does so later */
  rejected(error: CrossedError, promise: number): void
  handled(promise: number): void
  /** The script waits for the next message. */
  waits(): void
  /** It has run for a while: what it has sent must not wait until it pauses. */
  lasts(): void
  /** The script cannot go on. Called once, and after it nothing else. */
  ended(error: BusError): void
  /** True if the host wants the script to end now. */
  isTerminated(): boolean
  /** Returns the name of the module that `specifier` stands for in the module `base`. */
  resolveModule(base: string, specifier: string): string
  /** Returns the code of a module. @throws {string} the message of an error that the script gets */
  loadModule(name: string): string
}

/** For nested calls. */
const STACK_KIB = 256
/** Functions of the inside, in the order that an image has. */
const INSIDE = ['begin', 'deliver', 'receive', 'watch', 'exposeRun', 'idle', 'describe'] as const
type Inside = Readonly<Record<(typeof INSIDE)[number], JSValueHandle>>

export class Machine {
  readonly #vm: QuickJS
  readonly #inside: Inside
  readonly #limits: EngineOptions
  /** A VM that is used again can have more than a small limit allows. */
  readonly #firstBytes: number
  #events!: MachineEvents
  readonly #queue: (() => void)[] = []
  readonly #rejections = new Map<number, [promise: JSValueHandle, reason: JSValueHandle]>()
  /** Promises whose rejection was reported: each keeps its key for itself while it is here, and the host keeps its reason. */
  readonly #reported = new Map<number, [promise: JSValueHandle, bytes: number]>()
  #reportedBytes = 0
  /** The result of the last call of the inside. The VM takes a copy of its own once the call has returned. */
  #result: JSValueHandle | undefined
  #isRunning = false
  #enteredAt = 0
  #deadline = 0
  /** What the script may compute from half of its time on. On a busy machine, time passes in which it does not run. */
  #cpuMs = 0
  #countdown: Int32Array
  /** What the countdown began with after the last question. */
  #lastCount = 1
  #lastAsked = 0
  /** CPU time when half of the time had passed since the script was entered, in µs. */
  #cpuStart: number | undefined
  /** When it was first seen to run on although it is to stop: CPU time of its thread, in µs. */
  #stopCpu: number | undefined
  #limit: BusError | undefined
  #hasEnded = false
  /** True if it has ended with a limit: its VM is not used again. */
  #hasFailed = false

  /**
   * @param image - the state of a machine that was captured, to go on from
   * @throws {BusError} Overloaded if it has more memory than the limit
   */
  static async start(limits: EngineOptions, image?: VmImage): Promise<Machine> {
    let machine: Machine | undefined
    const options: VmOptions = {
      memoryLimit: limits.memory * 2 ** 20,
      maxStackSize: STACK_KIB * 1024,
      interruptHandler: () => machine !== undefined && machine.#mustStop(),
      onUnhandledRejection: (promise, reason, isHandled) => machine && machine.#rejected(promise, reason, isHandled),
      moduleLoader: {
        normalize: (base, specifier) => machine!.#events.resolveModule(base, specifier),
        load: name => machine!.#events.loadModule(name),
      },
    }
    const vm = await takeVm(options, image)
    if (image) checkMemory(vm, limits.memory)
    machine = new Machine(vm, limits, image)
    return machine
  }

  private constructor(vm: QuickJS, limits: EngineOptions, image: VmImage | undefined) {
    this.#vm = vm
    this.#countdown = getCountdown(vm)
    this.#limits = limits
    this.#firstBytes = this.memoryBytes
    vm.registerHostCallback(SEND, (text, bytes) => this.#call(() => this.#receive(text!, bytes)))
    vm.registerHostCallback(SEND_FRAME, (body, kind) => this.#call(() => this.#sendFrame(body!, kind)))
    // A script that runs finds no name for them any more.
    const exports = image ? undefined : vm.global.getProp('__sallyport')
    const entries = INSIDE.map((name, at) => [name, exports?.getProp(name) ?? vm.importHandle(image!.handles[at]!)])
    this.#inside = Object.fromEntries(entries)
    exports?.dispose()
  }

  /** Called once, before anything of the script runs. */
  connect(events: MachineEvents): void {
    this.#events = events
  }

  /** Bytes of the memory that the engine has taken. */
  get memoryBytes(): number {
    return this.#vm._getExports().memory.buffer.byteLength
  }

  /** Copies the state of the machine. `undefined` while the script runs, or after its end. */
  capture(): VmImage | undefined {
    if (this.#isRunning || this.#hasEnded) return undefined
    const handles = INSIDE.map(name => this.#inside[name])
    return captureVm(this.#vm, handles)
  }

  /** Lets the script begin. @param start - what the inside parses */
  begin(start: string, data: unknown): void {
    this.#evaluate(() => this.#run('begin', this.#vm.newString(start), toHandle(this.#vm, data)))
  }

  /** Sends a message to the script: after what it does now, if it sent a message that caused this one. */
  deliver(operation: string, value?: unknown, bytes?: Uint8Array): void {
    const text = `${operation} ${JSON.stringify(value) ?? 'null'}`
    this.#enter(() => this.#run('deliver', this.#vm.newString(text), ...(bytes ? [this.#vm.newUint8Array(bytes)] : [])))
  }

  /** Passes a frame of core to the script. */
  receive({ kind, body }: ReceivedFrame): void {
    const content = kind === FRAME_KIND.json ? getText(body) : (body as Uint8Array)
    this.#enter(() => {
      if (typeof content === 'string') this.#run('receive', this.#vm.newString(content))
      else this.#run('receive', this.#vm.newUint8Array(content), this.#vm.newNumber(kind))
    })
  }

  /** Asks the code of `bus.run`, which waits, whether anything can let it go on. */
  checkIdle(): void {
    this.#enter(() => this.#run('idle'), false)
  }

  /** Evaluates a module. The script reports when its top-level awaits are over. @throws {BusError} LoadFailed if it cannot be parsed */
  evaluateModule(code: string, name: string): void {
    this.#evaluate(() => {
      const evaluated = this.#vm.evalCode(code, name, EvalFlags.TYPE_MODULE)
      this.#run('watch', evaluated)
    })
  }

  /**
   * Exposes the body of an async function as the function of `bus.run`. What can follow an arrow function in parentheses, `,` or `)`,
   * cannot follow a declaration, so a body that closes its function is a syntax error.
   *
   * @param globals - code of the host that defines variables of the body
   * @throws {JSException} SyntaxError
   */
  exposeBody(code: string, name: string, globals?: string): void {
    this.#evaluate(() => {
      if (globals !== undefined) this.#vm.evalCode(globals, 'globals').dispose()
      this.#vm.evalCode(`${DECLARATION_START}${code}\n}`, name, EvalFlags.COMPILE_ONLY).dispose()
      const body = this.#vm.evalCode(`${BODY_START}${code}\n})())`, name)
      this.#run('exposeRun', body)
    })
  }

  /** True if the code closes the function that it is the body of. */
  closesBody(code: string): boolean {
    try {
      this.#vm.evalCode(`${DECLARATION_START}${code}`, '', EvalFlags.COMPILE_ONLY).dispose()
      return true
    } catch {
      return false
    }
  }

  /** Ends the script without a word to it. */
  dispose(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#queue.length = 0
    // Its memory is used again once nothing of it is on the stack.
    if (!this.#isRunning) void returnVm(this.#vm)
  }

  #evaluate(run: () => void): void {
    let failure: { error: unknown } | undefined
    this.#enter(() => {
      try {
        run()
      } catch (error) {
        if (this.#toLimit(error)) throw error
        failure = { error }
      }
    })
    if (failure) throw failure.error
  }

  #run(name: keyof Inside, ...values: JSValueHandle[]): void {
    this.#vm.callFunction(this.#inside[name], this.#vm.undefined, ...values).dispose()
    for (const value of values) value.dispose()
  }

  /** @param asks - whether the script is idle after it */
  #enter(run: () => void, asks = true): void {
    if (this.#isRunning) return void this.#queue.push(run)
    if (this.#hasEnded) return
    this.#isRunning = true
    this.#enteredAt = performance.now()
    if (warmUp > 0) warmUp = Math.max(0, WARM_UP_MS - (readThreadCpuTime() - CPU_AT_START) / 1000)
    this.#cpuMs = this.#limits.time / 2 + warmUp
    this.#deadline = this.#enteredAt + this.#limits.time / 2 + this.#cpuMs
    this.#cpuStart = undefined
    try {
      run()
      this.#runJobs()
      for (let next = this.#queue.shift(); next && !this.#hasEnded; next = this.#queue.shift()) {
        next()
        this.#runJobs()
      }
      if (this.#rejections.size > 0) this.#reportRejections()
    } catch (error) {
      this.#end(this.#toLimit(error) ?? new BusError('Crashed', `The script's engine failed: ${describeThrown(error)}`))
    } finally {
      this.#isRunning = false
      if (this.#limit) this.#end(this.#limit)
      if (this.#hasEnded) this.#release()
      else this.#result?.dispose()
      this.#result = undefined
    }
    if (!this.#hasEnded && asks) this.#events.waits()
  }

  /** A job that was stopped can end as a rejection, which a script may ignore: none follows it. */
  #runJobs(): void {
    const { qjs_is_job_pending: isPending, qjs_execute_pending_job: runNext } = this.#vm._getExports()
    while (!this.#limit && isPending()) if (runNext() < 0) throw new Error(this.#vm.getException().toString())
  }

  #release(): void {
    if (this.#hasFailed) this.#vm.dispose()
    else void returnVm(this.#vm)
  }

  #end(error: BusError): void {
    if (this.#hasEnded) return
    this.#hasEnded = this.#hasFailed = true
    this.#events.ended(error)
  }

  #mustStop(): boolean {
    if (this.#hasEnded || this.#limit) return true
    const now = performance.now()
    this.#setCountdown(now)
    if (now - this.#enteredAt > MAX_UNASKED_MS) this.#events.lasts()
    if (this.#events.isTerminated()) {
      // The whole process can have been stopped since, or its thread without a core.
      this.#stopCpu ??= readThreadCpuTime()
      if ((readThreadCpuTime() - this.#stopCpu) / 1000 < SILENT_MS) return false
      this.#limit = new BusError('Disconnected', 'The script was terminated')
      return true
    }
    const max = this.#limits.time
    if (now < this.#deadline - this.#cpuMs) return false
    this.#cpuStart ??= readThreadCpuTime()
    if (now < this.#deadline) return false
    const left = this.#cpuMs - (readThreadCpuTime() - this.#cpuStart) / 1000
    if (left > LEAST_MS) {
      this.#deadline = now + left
      return false
    }
    const text = `The script ran for ${max} ms without a pause. Let it await in between, or raise \`time\` of its sandbox or \`limits.time\` of its run, up to 5000`
    this.#limit = new BusError('Crashed', text, { data: { limit: 'time', max } })
    return true
  }

  /** Lets the engine ask again before long, whatever functions the script calls. */
  #setCountdown(now: number): void {
    const passed = now - this.#lastAsked
    this.#lastAsked = now
    const count = this.#lastCount * (MAX_UNASKED_MS / passed)
    this.#lastCount = count > MAX_COUNTDOWN ? MAX_COUNTDOWN : count > 1 ? count : 1
    if (this.#countdown.length === 0) this.#countdown = getCountdown(this.#vm)
    this.#countdown[0] = this.#lastCount
  }

  /** Returns the error of a limit that the engine has reported, or the WebAssembly around it. */
  #toLimit(thrown: unknown): BusError | undefined {
    if (this.#limit) return this.#limit
    const message = describeThrown(thrown)
    if (/out of memory|wasm_malloc|memory access out of bounds|unreachable/.test(message))
      return this.createLimit('memory')
    return thrown instanceof RangeError && /call stack/.test(message) ? this.createLimit('stack') : undefined
  }

  /** Parses JSON of the script. What this thread makes of it counts against its memory. @throws {BusError} Crashed, after which the script ends */
  parse(text: string): unknown {
    this.checkSize(getSize(text))
    return JSON.parse(text)
  }

  /** @throws {BusError} Crashed, after which the script ends, if its memory has not so many bytes */
  checkSize(bytes: number): void {
    if (bytes > this.#limits.memory * 2 ** 20) throw (this.#limit = this.createLimit('memory'))
  }

  createLimit(limit: 'memory' | 'stack'): BusError {
    const max = limit === 'memory' ? this.#limits.memory : STACK_KIB
    const text =
      limit === 'memory'
        ? `The script ran out of memory (limit: ${max} MiB). Raise \`memory\` of its sandbox or \`limits.memory\` of its run`
        : `The script's calls were nested too deeply (limit: ${max} KiB of stack)`
    const error = new BusError('Crashed', text, { data: { limit, max } })
    // No place in Sallyport's own files is to blame for it.
    error.stack = `${error.name}: ${text}`
    return error
  }

  /** Returns the limit that an uncaught error of the script stands for. */
  toLimitOfError({ name, message, reason, isValue, data }: CrossedError): BusError | undefined {
    if (reason !== undefined) return undefined
    if (name === 'InternalError' && message === 'out of memory') return this.createLimit('memory')
    // Without the memory for an error, the engine throws null, or one of its own about that.
    const isUnsaid = name === 'InternalError' || (isValue === true && data === null)
    const isFull = this.memoryBytes > Math.max(this.#limits.memory * 2 ** 20, this.#firstBytes)
    if (isUnsaid && isFull) return this.createLimit('memory')
    return name === 'RangeError' && message === 'Maximum call stack size exceeded'
      ? this.createLimit('stack')
      : undefined
  }

  /** Handles a call of the inside, which gets the result. */
  #call(run: () => string | Uint8Array | boolean | undefined): JSValueHandle {
    // A script that is being ended may still say that it was interrupted.
    if (this.#limit || this.#hasEnded) return this.#vm.undefined
    // An error of this thread would have a stack with paths: a string is the message of an error in the VM, which the inside reads.
    let refusal = ''
    try {
      const result = run()
      if (result === undefined || result === false) return this.#vm.undefined
      if (result === true) return this.#vm.true
      this.#result?.dispose()
      this.#result = typeof result === 'string' ? this.#vm.newString(result) : this.#vm.newUint8Array(result)
      return this.#result
    } catch (error) {
      refusal = JSON.stringify(describeError(error))
    }
    throw refusal
  }

  #receive(message: JSValueHandle, bytes: JSValueHandle | undefined): string | Uint8Array | undefined {
    const text = this.#getText(message)
    const end = text.indexOf(' ')
    const content = bytes && !bytes.isUndefined ? bytes.toUint8Array() : undefined
    return this.#events.receive(text.slice(0, end), text.slice(end + 1), content)
  }

  #sendFrame(body: JSValueHandle, kind: JSValueHandle | undefined): boolean {
    return kind
      ? this.#events.sendFrame(body.toUint8Array(), kind.toNumber())
      : this.#events.sendFrame(this.#getText(body), undefined)
  }

  #getText(handle: JSValueHandle): string {
    const text = handle.toString()
    if (text !== NO_TEXT) return text
    throw (this.#limit = this.createLimit('memory'))
  }

  #rejected(promise: JSValueHandle, reason: JSValueHandle, isHandled: boolean): void {
    const key = this.#vm._getExports().qjs_get_value_ptr(promise.ptr)
    if (!isHandled) {
      if (this.#rejections.size < MAX_REJECTIONS) this.#rejections.set(key, [promise.dup(), reason.dup()])
      return
    }
    for (const handle of this.#rejections.get(key) ?? []) handle.dispose()
    this.#rejections.delete(key)
    const [reported, bytes = 0] = this.#reported.get(key) ?? []
    if (!reported) return
    this.#reported.delete(key)
    this.#reportedBytes -= bytes
    reported.dispose()
    this.#events.handled(key)
  }

  #reportRejections(): void {
    const rejections = [...this.#rejections]
    this.#rejections.clear()
    for (const [key, [promise, reason]] of rejections) {
      const error = this.#describe(reason)
      if (this.#reported.size < MAX_REJECTIONS) {
        this.#reported.set(key, [promise, error.bytes])
        this.#reportedBytes += error.bytes
      } else promise.dispose()
      if (!this.#hasEnded) this.#events.rejected(error.described, key)
      if (this.#limit) throw this.#limit
    }
  }

  /** Returns what a promise was rejected with: of what breaks a limit, the limit is what is known. */
  #describe(reason: JSValueHandle): { described: CrossedError; bytes: number } {
    try {
      const handle = this.#vm.callFunction(this.#inside.describe, this.#vm.undefined, reason)
      const text = this.#getText(handle)
      handle.dispose()
      const bytes = getSize(text)
      this.checkSize(this.#reportedBytes + bytes)
      return { described: JSON.parse(text), bytes }
    } catch (error) {
      this.#limit = this.#toLimit(error)
      if (!this.#limit) throw error
      return { described: describeError(this.#limit), bytes: 0 }
    } finally {
      reason.dispose()
    }
  }
}

const getSize = (text: string): number =>
  text.length * TEXT_BYTES + scanJson(Buffer.from(text), Infinity, Infinity) * VALUE_BYTES

/** The limit counts what is allocated, not the memory around it, which keeps its size and has gaps. @param max - MiB */
function checkMemory(vm: QuickJS, max: number): void {
  const { mallocSize } = vm.getMemoryUsage()
  if (mallocSize <= max * 2 ** 20) return
  vm.dispose()
  const text = `The continuation holds ${Math.ceil(mallocSize / 2 ** 20)} MiB, and the limit is ${max} MiB. Raise the limit`
  throw new BusError('Overloaded', text, { data: { limit: 'memory', max } })
}

/** The code begins in the first line, so that lines are its own. It can have names that the parameters have. */
const BODY_START = `'use strict';((args, invoke, stream, emit, listen, expose, Channel) => (async () => {`
const DECLARATION = `'use strict';async function body() {`
/** As long as the other, so that columns are the same. */
const DECLARATION_START = DECLARATION.padEnd(BODY_START.length)

/** Frames of the inside, which is named so when it is evaluated. */
const INSIDE_FRAMES = /^.*[ (]sallyport:\d.*\n?/gm

/** Returns a stack with the frames and columns of the author's code. @param body - the name of the code, if it is the body of `bus.run` */
export const fixColumns = (stack: string, body: string | undefined): string =>
  stack
    .slice(0, MAX_ERROR_LENGTH)
    .replaceAll(INSIDE_FRAMES, '')
    .replaceAll(/(?<![^\s(])([^\s(]*):1:(\d+)/g, (place, file: string, column: string) =>
      file === body ? `${file}:1:${Math.max(1, Number(column) - BODY_START.length)}` : place,
    )

/** Returns a function that reads the CPU time of this thread in µs, or of the whole process, which is more, where nothing tells that of a thread. */
export function createThreadClock(file: string = THREAD_TIME_FILE): () => number {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage }
  const readFile = threadCpuUsage ? undefined : openClock(file)
  if (readFile) return readFile
  return () => {
    const { user, system } = threadCpuUsage ? threadCpuUsage.call(process) : process.cpuUsage()
    return user + system
  }
}

function openClock(file: string): (() => number) | undefined {
  const buffer = Buffer.alloc(64)
  try {
    const descriptor = openSync(file, 'r')
    const read = (): number => {
      const length = readSync(descriptor, buffer, 0, buffer.length, 0)
      return Number.parseInt(buffer.toString('latin1', 0, length), 10) / 1000
    }
    if (read() > 0) return read
    closeSync(descriptor)
    return undefined
  } catch {
    return undefined
  }
}
