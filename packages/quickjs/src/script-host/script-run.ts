// One script in its VM, from its start to its end. Three facts say where it is, each with its phases in this order:
//
//   the code    loads → runs → done          or loads → unloadable
//   the client  open → closing → closed      by order of the host
//   the VM      goes on, until `isOver`      the script was interrupted, has ended, or has broken the protocol
//
// They change apart from each other: code that has failed still has a client that closes, and a client closes whose code loops.
import { randomFillSync } from 'node:crypto'
import type {
  EngineOptions,
  ModuleText,
  ScriptClientOptions,
  ScriptNetwork,
  ScriptThread,
} from '@sallyport/protocol/internal/contract'
import { BusError, isBusError } from '@sallyport/protocol/internal/errors'
import { createDeferred, isObject } from '@sallyport/protocol/internal/util'
import { type Link, MAX_IMAGE_BYTES, MAX_SNAPSHOT_BYTES } from '@sallyport/protocol/internal/wire'
import { CoreLink } from './core-link.js'
import type { CrossedError } from './crossing.js'
import type { Machine, MachineEvents } from './machine.js'
import type { ScriptSource } from './script-source.js'
import { Services } from './services.js'
import { writeSnapshot } from './vm-image.js'
import { prepareVms } from './vm-pool.js'

type Content = Uint8Array | string | undefined

export interface ScriptRunDeps {
  machine: Machine
  engine: EngineOptions
  source: ScriptSource
  /** Of code that the host has passed as text. */
  wrapper: ModuleText['wrapper']
  network: ScriptNetwork | undefined
  thread: ScriptThread
  /** See `FrontendScript.run`. */
  onFault(error: Error): void
}

export class ScriptRun implements MachineEvents {
  readonly #deps: ScriptRunDeps
  readonly #machine: Machine
  readonly #thread: ScriptThread
  readonly #core: CoreLink
  readonly #services: Services
  readonly #loaded = createDeferred<void>()
  #code: 'loads' | 'runs' | 'done' | 'unloadable' = 'loads'
  /** While it closes, it sends what waits in it. That is no time of the script's own: only force ends it. */
  #client: 'open' | 'closing' | 'closed' = 'open'
  /** Nothing more is handled or sent. */
  #isOver = false
  /** Why what waited in the client is lost. */
  #lost: BusError | undefined
  /** Tokens of an interrupted script that is to be suspended. */
  #interrupted: readonly string[] | undefined
  /** The script has just sent a call, so it is not idle: asking it would cost as much as a tenth of the call. */
  #awaitsAnswer = false

  constructor(deps: ScriptRunDeps) {
    this.#deps = deps
    const { machine, engine, network, thread } = deps
    this.#machine = machine
    this.#thread = thread
    this.#loaded.promise.catch(() => {})
    const maxBytes = engine.memory * 2 ** 20
    this.#core = new CoreLink({
      maxBytes,
      receive: frame => {
        if (this.#isOver) return
        thread.onEnter?.()
        machine.receive(frame)
      },
      room: () => this.#deliver('room'),
      closed: () => this.#deliver('closed'),
    })
    this.#services = new Services({
      network,
      maxBytes,
      machine,
      print: (stream, line) => thread.print(stream, line),
      wake: () => this.#deliver('wake'),
      settle: (id, value, bytes, error) => this.#deliver('settle', [id, value, error], bytes),
    })
    machine.connect(this)
  }

  /** Resolves once the code, with its top-level awaits, has run. @throws what it throws */
  async start(link: Link, { data, ...client }: ScriptClientOptions): Promise<void> {
    const { machine, source, wrapper, network } = this.#deps
    this.#thread.onEnter?.()
    this.#core.attach(link)
    const { label, codec, timeout, maxInFlight, overflow, deadlines } = client
    const options = { label, codec, timeout, maxInFlight, overflow, deadlines }
    const seed = [...randomFillSync(new Uint32Array(4))]
    machine.begin(
      JSON.stringify({ ...options, maxResultBytes: wrapper?.maxResultBytes, seed, env: network?.env }),
      data,
    )
    try {
      if (wrapper) machine.exposeBody(source.code, source.name, wrapper.globals)
      else machine.evaluateModule(source.code, source.name)
    } catch (error) {
      // Its client would answer a call that has come with the link, as if the code had exposed nothing.
      this.#isOver = true
      throw source.toLoadError(error as Error, machine)
    }
    if (wrapper) this.#setLoaded()
    return this.#loaded.promise
  }

  /** Goes on from the image that the machine has. */
  async goOn(link: Link, label: string): Promise<void> {
    this.#thread.onEnter?.()
    this.#core.attach(link)
    this.#machine.deliver('restored', { label, env: this.#deps.network?.env })
    this.#setLoaded()
    // A limit can have ended it already.
    return this.#loaded.promise
  }

  reconnect(link: Link): void {
    this.#core.attach(link)
    this.#deliver('reconnect')
  }

  /** What waits leaves before the link closes, whatever the script does. */
  async close(): Promise<void> {
    if (this.#client === 'open') this.#client = 'closing'
    this.#deliver('close')
    await this.#core.close()
    if (this.#lost) throw this.#lost
  }

  stop(): void {
    this.#isOver = true
    this.#services.stop()
    this.#machine.dispose()
  }

  receive(operation: string, content: string, bytes: Uint8Array | undefined): Content {
    if (this.#isOver) return undefined
    try {
      return this.#handle(operation, content, bytes)
    } catch (error) {
      if (isBusError(error, 'InvalidRequest')) this.#refuse(error)
      throw error
    }
  }

  sendFrame(body: string | Uint8Array, kind: number | undefined): boolean {
    if (typeof body === 'string' && CALL.test(body)) this.#awaitsAnswer = true
    try {
      return !this.#isOver && this.#core.send(body, kind)
    } catch (error) {
      return this.#refuse(error)
    }
  }

  rejected(error: CrossedError, promise: number): void {
    const limit = this.#machine.toLimitOfError(error)
    if (limit || !this.#thread.unhandled) this.#fail(limit ?? this.#deps.source.toFault(error))
    else this.#thread.unhandled(promise, this.#deps.source.toThrown(error))
  }

  handled(promise: number): void {
    this.#thread.handled?.(promise)
  }

  waits(): void {
    const awaits = this.#awaitsAnswer
    this.#awaitsAnswer = false
    if (!this.#deps.wrapper || this.#isDone || this.#isOver || awaits || this.#core.isFull) return
    this.#machine.checkIdle()
    const tokens = this.#interrupted
    this.#interrupted = undefined
    if (tokens) this.#suspend(tokens).catch((error: Error) => this.#fail(error))
  }

  lasts(): void {
    this.#core.flush()
  }

  /** While the link has no room, messages wait in the client. A loop of calls, which all reject once it has closed, would never end. */
  ended(error: BusError): void {
    if (this.#client === 'closed') return
    if (this.#client === 'closing' || this.#core.isFull) this.#lost ??= toLost(error)
    this.#fail(error)
  }

  isTerminated(): boolean {
    return this.#client === 'closed' || (this.#thread.isTerminated?.(this.#client === 'closing') ?? false)
  }

  resolveModule(base: string, specifier: string): string {
    return this.#deps.source.modules.resolve(base, specifier)
  }

  loadModule(name: string): string {
    return this.#deps.source.modules.load(name)
  }

  get #isDone(): boolean {
    return this.#code === 'done' || this.#code === 'unloadable'
  }

  #setLoaded(): void {
    if (this.#code === 'loads') this.#code = 'runs'
    this.#loaded.resolve()
  }

  #fail(error: Error): void {
    const isLoaded = this.#code === 'runs' || this.#code === 'done'
    this.#code = isLoaded ? 'done' : 'unloadable'
    if (isLoaded) this.#deps.onFault(error)
    else this.#loaded.reject(error)
  }

  /** The script has broken the protocol. */
  #refuse(error: unknown): never {
    this.#isOver = true
    this.ended(error as BusError)
    throw error
  }

  #deliver(operation: string, value?: unknown, bytes?: Uint8Array): void {
    if (this.#isOver) return
    this.#thread.onEnter?.()
    this.#machine.deliver(operation, value, bytes)
  }

  #handle(operation: string, content: string, bytes: Uint8Array | undefined): Content {
    switch (operation) {
      case 'loaded':
        return void (this.#isDone || this.#setLoaded())
      case 'load-error':
      case 'fault':
        return this.#threw(this.#parseError(content))
      case 'explain':
        return this.#explain(this.#parseError(content))
      case 'synchronized':
        return void (this.#isDone || this.#thread.synchronized())
      case 'unsent':
        this.#thread.unsent()
        return undefined
      case 'answered':
        this.#code = 'done'
        this.#thread.answered()
        return undefined
      case 'suspend':
        this.#interrupted = (this.#machine.parse(content) as unknown[]).map(String)
        return undefined
      case 'close':
        return this.#closed()
      default:
        return this.#services.handle(operation, content, bytes)
    }
  }

  #parseError(content: string): CrossedError {
    return Object(this.#machine.parse(content))
  }

  #threw(error: CrossedError): undefined {
    this.#fail(this.#machine.toLimitOfError(error) ?? this.#deps.source.toFault(error))
  }

  #explain(error: CrossedError): string {
    const limit = this.#machine.toLimitOfError(error)
    // The limit is what ends the script, and not the error that its function has thrown.
    if (limit) this.#refuse(limit)
    return JSON.stringify(this.#deps.source.explain(error))
  }

  #closed(): undefined {
    if (this.#client !== 'open') {
      this.#client = 'closed'
      return void this.#core.close()
    }
    // Core's messages are valid: the client closes its link by itself only if it has no memory to read one.
    this.#isOver = true
    this.#fail(this.#machine.createLimit('memory'))
  }

  async #suspend(tokens: readonly string[]): Promise<void> {
    const { memoryBytes } = this.#machine
    if (memoryBytes > MAX_IMAGE_BYTES) throw tooLarge('memory', memoryBytes, MAX_IMAGE_BYTES)
    const vm = this.#machine.capture()
    if (!vm) return
    this.#isOver = true
    const { snapshot } = await prepareVms()
    const written = await writeSnapshot(vm, snapshot.memory)
    if (written.byteLength > MAX_SNAPSHOT_BYTES) throw tooLarge('snapshot', written.byteLength, MAX_SNAPSHOT_BYTES)
    this.#thread.suspended?.({ snapshot: written, tokens })
  }
}

/** What a frame with a call begins with. */
const CALL = /^\[?\{"jsonrpc":"2\.0","id":\d+,"method"/

const toLost = ({ reason, message, data, cause }: BusError): BusError =>
  new BusError(reason, `What it had sent is lost. ${message}`, {
    data: { ...(isObject(data) && data), unsent: 'unknown' },
    cause,
  })

function tooLarge(limit: 'memory' | 'snapshot', bytes: number, max: number): BusError {
  const message = `The script was interrupted, and its ${limit} of ${bytes} bytes exceeds ${max}. Let it hold less meanwhile`
  return new BusError('Overloaded', message, { data: { limit, max } })
}
