// The bus, as the host holds it: it starts and stops the workers, and talks to core over a link of its own.
import type { EventEmitter } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  Channel,
  type Client,
  type EmitOptions,
  type EventHandler,
  type ListenOptions,
} from '@sallyport/frontend/client'
import {
  BusError,
  describeCommand,
  describeName,
  type EventTarget,
  isBusError,
  type Unlisten,
} from '@sallyport/protocol'
import type { ExplainedFrontend } from '../acl/explain.js'
import { checkPlain } from '../acl/schema.js'
import type { Capability } from '../acl/types.js'
import { checkFrontendCall, type FrontendCallOptions } from '../api/frontend-call.js'
import { HOST_METHOD } from '../contract/control.js'
import type { CoreThread } from './core-thread.js'
import type { DevMode } from './dev-mode.js'
import {
  checkCloseTimeout,
  checkRunning,
  connectTo,
  type Frontends,
  createOpenFrontends,
} from './frontends/frontends.js'
import type { BusView, Inspector, InspectorOptions, OpenInspector } from './inspector/view.js'
import type { ModuleLocation } from './options/location.js'
import { resolvePort } from './options/resolve.js'
import type { ConnectionOptions, FrontendOptions } from './options/types.js'
import { type BusEvents, checkFunction, subscribe, type BusReporter } from './reporting/events.js'
import type { BusStats } from './reporting/stats.js'
import type { SupervisionOptions } from './supervision/policy.js'
import { type BusInspection, type Supervisor, supervisorMachine } from './supervision/supervisor.js'
import { workerMachine } from './supervision/worker-machine.js'

// `bus.call`: over the host's own link, as a command of core that frontends don't have. Its arguments are those of the function;
// which one it is goes beside them, so that bytes are found where they stand.

export interface FrontendCall {
  label: string
  name: string
  args: object | undefined
  options: FrontendCallOptions | undefined
}

async function callFrontend<T>(client: Client, { label, name, args, options = {} }: FrontendCall): Promise<T> {
  if (typeof label !== 'string' || typeof name !== 'string') {
    throw new BusError('InvalidParams', 'bus.call takes a frontend’s label, and the name of a function that it exposes')
  }
  checkFrontendCall(name, args, options, Channel)
  const headers = { label, name }
  try {
    return await client.invoke<T>(HOST_METHOD.call, args as Record<string, unknown>, { ...options, headers })
  } catch (error) {
    throw isBusError(error) ? named(error, name) : error
  }
}

/** The caller knows the function, and not what it is called through. */
function named(error: BusError, name: string): BusError {
  const message = error.message.replace(describeCommand(HOST_METHOD.call), describeName(name))
  return message === error.message
    ? error
    : new BusError(error.reason, message, { data: error.data, cause: error.cause })
}

// `bus.addCapability` and `bus.removeCapability`: commands of core that the host alone has. What core took is kept for another
// core that may have to take its place.

async function changeCapabilities(core: CoreThread, change: 'add', given: Capability): Promise<void>
async function changeCapabilities(core: CoreThread, change: 'remove', given: string): Promise<void>
async function changeCapabilities(
  { client, changes }: CoreThread,
  change: 'add' | 'remove',
  given: Capability | string,
): Promise<void> {
  if (change === 'add') {
    changes.decided = await client.invoke<boolean>(HOST_METHOD.addCapability, { capability: given })
    changes.added.set((given as Capability).identifier, given)
  } else {
    changes.decided = await client.invoke<boolean>(HOST_METHOD.removeCapability, { identifier: given })
    if (!changes.added.delete(given as string)) changes.removed.add(given as string)
  }
}

/** Milliseconds for what is ready where core is not busy. */
const PATIENCE_MS = 2000

/** What this frontend may call, after all changes. */
async function explainNow({ client }: CoreThread, label: string): Promise<ExplainedFrontend> {
  const options = { timeout: PATIENCE_MS }
  const [explained] = await client.invoke<ExplainedFrontend[]>(HOST_METHOD.explain, { labels: [label] }, options)
  return explained!
}

// What `bus.stats` gives, from what has been counted so far.

export interface StatsDeps {
  core: CoreThread
  frontends: Frontends
  reporter: BusReporter
}

/** @param marks whether the rates of the next are those since now */
function readStats({ core, frontends, reporter }: StatsDeps, since: number, marks: boolean): BusStats {
  const host = core.traffic.snapshot(core.isUp, marks)
  const each = frontends.takeStats(marks)
  const { network } = core
  const ofNetwork = network?.instances[network.instance]?.inFlight ?? 0
  const inFlight = Object.values(each).reduce((sum, frontend) => sum + frontend.inFlight, host.inFlight + ofNetwork)
  return {
    uptime: Math.round(performance.now() - since),
    core: { ...core.worker.stats, inFlight, slow: reporter.slowCalls },
    host,
    frontends: each,
    ...(network && { network }),
  }
}

// The bus as its inspector sees it: nothing of this changes what anybody else sees.

function createInspectorView(parts: BusDeps, since: number): BusView {
  const { core, supervisor, events } = parts
  return {
    get state() {
      return supervisor.state
    },
    get stats() {
      return readStats(parts, since, false)
    },
    get sights() {
      return supervisor.getWorkerStatuses()
    },
    machines: { bus: supervisorMachine, thread: workerMachine },
    measure: async () => (await core.measure()) !== undefined,
    on(name, handler) {
      events.on(name, handler)
      return () => void events.off(name, handler)
    },
    explain: label => explainNow(core, label),
  }
}

export interface CloseOptions {
  /** Milliseconds that calls in flight are given to end; 1000 by default. */
  timeout?: number
}

/** @internal What `createBus` has put together. */
export interface BusDeps {
  supervisor: Supervisor
  core: CoreThread
  frontends: Frontends
  events: EventEmitter
  reporter: BusReporter
  /** Of frontends that come later. */
  supervision: SupervisionOptions | undefined
  dev?: DevMode
}

/** From one word of what `close` waits for to the next, in milliseconds. */
const WAITING_MS = 1000

export class Bus {
  readonly #parts: BusDeps
  readonly #client: Client
  readonly #since = performance.now()
  /** What the host listens to before the frontends start. */
  #early: Promise<unknown>[] | undefined = []
  #closing: Promise<void> | undefined
  readonly #inspectors = new Set<OpenInspector>()

  /** @internal */
  constructor(parts: BusDeps) {
    this.#parts = parts
    this.#client = parts.core.client
  }

  /** Makes this thread a frontend, as vetted as any other: for tests, and for what the host itself calls. */
  async connect(label: string, options?: ConnectionOptions): Promise<Client> {
    return connectTo('bus.connect', this.#parts, () => this.#checkRunning(), label, options)
  }

  /** Starts one more frontend worker. Resolves once its module is on its way. */
  async open(label: string, module: ModuleLocation, options?: FrontendOptions): Promise<void> {
    await createOpenFrontends('bus.open', this.#parts, () => this.#checkRunning(), { label, module, options })
  }

  /** Ends a frontend worker and its gate, or closes a connection. Its calls in flight settle. */
  async closeFrontend(label: string): Promise<void> {
    await this.#parts.frontends.close(label)
  }

  /**
   * Ends a frontend, or `core`, and starts it again with its module as it is now; a frontend's hook too. What was in flight
   * settles with `Disconnected`, as at any restart (docs/supervision.md), but it does not count as one. Resolves once it is
   * there again.
   *
   * @throws BusError `InvalidParams` for a label that there is not, and for what has no module; what keeps it from being ready
   * @example await bus.reload('core')
   */
  async reload(what: string): Promise<void> {
    this.#checkRunning()
    const { core, frontends } = this.#parts
    if (what !== 'core') return frontends.reload('bus.reload', what, ['core'])
    await core.reload()
    await frontends.linked()
  }

  /** Sends an event to every listener: in core, here, and in all frontends. */
  emit(event: string, payload?: unknown, options?: EmitOptions): Promise<void> {
    return this.#client.emit(event, payload, options)
  }

  emitTo(target: string | EventTarget, event: string, payload?: unknown, options?: EmitOptions): Promise<void> {
    return this.#client.emitTo(target, event, payload, options)
  }

  /** Listens to events of all the bus. What is listened to at once, after `createBus`, misses nothing. */
  listen<T = unknown>(event: string, handler: EventHandler<T>, options?: ListenOptions): Promise<Unlisten> {
    const listening = this.#client.listen(event, handler, options)
    this.#early?.push(listening)
    return listening
  }

  once<T = unknown>(event: string, handler: EventHandler<T>, options?: ListenOptions): Promise<Unlisten> {
    const listening = this.#client.once(event, handler, options)
    this.#early?.push(listening)
    return listening
  }

  /**
   * Calls a function that a frontend exposes. What it answers is the frontend's word.
   *
   * @param args named arguments, or bytes as the whole body
   * @throws BusError `Disconnected` where there is no such frontend, or it goes away meanwhile; `MethodNotFound`, `Cancelled`,
   * `Timeout`, `Overloaded`; `CommandFailed` with what the function threw as its `data`
   * @example const src = await bus.call<string>('main', 'transform', { src }, { timeout: 1000 })
   */
  call<T = unknown>(label: string, name: string, args?: object, options?: FrontendCallOptions): Promise<T> {
    return callFrontend<T>(this.#client, { label, name, args, options })
  }

  /**
   * One more capability, in force for every call that comes after. One that is wrong changes nothing.
   *
   * @throws BusError `InvalidParams`, which names the mistake, or an identifier that another capability has
   */
  async addCapability(capability: Capability): Promise<void> {
    checkPlain({ value: capability, from: 'bus.addCapability' })
    await changeCapabilities(this.#parts.core, 'add', capability)
  }

  /** What it allowed and denied holds no more, for every call that comes after. @throws BusError `InvalidParams` */
  async removeCapability(identifier: string): Promise<void> {
    await changeCapabilities(this.#parts.core, 'remove', identifier)
  }

  /** Tells of faults, restarts, denials and rejections; gives back what takes the handler away. */
  on<Name extends keyof BusEvents>(name: Name, handler: (event: BusEvents[Name]) => void): () => void {
    return subscribe('bus.on', this.#parts.events, name, handler)
  }

  /**
   * Tells of each event and state of the bus's own state machines, as xstate's inspection does: to see what supervision does.
   * Gives back what ends it.
   */
  inspect(listener: (event: BusInspection) => void): () => void {
    checkFunction('bus.inspect: the listener', listener)
    return this.#parts.supervisor.inspect(listener)
  }

  /**
   * What each worker is and what it has done; cheap enough to be asked every second. Rates are those since it was last called.
   * It answers while core is being started again, or does not come to answer: docs/observability.md.
   */
  async stats(): Promise<BusStats> {
    await this.#parts.core.measure()
    return readStats(this.#parts, this.#since, true)
  }

  /**
   * Serves a page on 127.0.0.1 that shows what the bus is doing: states, figures, faults, who may call what. It changes nothing, and
   * shows no payload. Whoever has the `url`, with its token, sees it: docs/inspector.md. The bus closes it with itself.
   *
   * @throws BusError `InvalidParams` for a wrong option or a port that is taken, `Disconnected` where the bus is closing
   * @example const { url } = await bus.inspectServer()
   */
  async inspectServer(options: InspectorOptions = {}): Promise<Inspector> {
    const port = resolvePort('bus.inspectServer', options)
    const { openInspector } = await import('./inspector/server.js')
    const inspector = await openInspector(createInspectorView(this.#parts, this.#since), port)
    if (this.#closing) {
      await inspector.close()
      this.#checkRunning()
    }
    this.#inspectors.add(inspector)
    void inspector.closed.then(() => this.#inspectors.delete(inspector))
    return inspector
  }

  /** Lets calls in flight end, then ends every thread. Resolves when none is left. */
  async close({ timeout = 1000 }: CloseOptions = {}): Promise<void> {
    checkCloseTimeout('bus.close', timeout)
    return (this.#closing ??= this.#close(timeout))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal Resolves once what the host listened to at once is in place. */
  async settled(): Promise<void> {
    const early = this.#early ?? []
    this.#early = undefined
    await Promise.allSettled(early)
  }

  async #close(timeout: number): Promise<void> {
    const { supervisor, core, frontends } = this.#parts
    const timer = setInterval(() => void this.#tellWaiting(), WAITING_MS)
    supervisor.signal('drain')
    await this.#parts.dev?.close()
    // What was sent in this turn goes out first.
    await nextTurn()
    await core.worker.stop(timeout)
    await frontends.closeAll()
    await this.#client.close()
    supervisor.signal('ended')
    clearInterval(timer)
    await Promise.all([...this.#inspectors].map(inspector => inspector.end('The bus was closed.')))
  }

  async #tellWaiting(): Promise<void> {
    const { supervisor, core, reporter } = this.#parts
    const calls = await core.measure()
    if (supervisor.state !== 'stopped') reporter.reportPendingClose({ workers: supervisor.workerNames, calls })
  }

  #checkRunning(): void {
    checkRunning('The bus', this.#parts.supervisor)
  }
}
