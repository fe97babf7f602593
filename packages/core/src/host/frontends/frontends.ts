// The frontends of a bus, by their labels: workers that it started, and connections of the host itself.
import type { Client } from '@sallyport/frontend/client'
import { BusError, describeName } from '@sallyport/protocol'
import { didYouMean } from '../../shared/suggest.js'
import type { ModuleLocation } from '../options/location.js'
import {
  checkFile,
  frontendSupervision,
  resolveConnection,
  resolveFrontend,
  resolveLocation,
} from '../options/resolve.js'
import type { ConnectionOptions, ConnectionSettings, FrontendOptions, FrontendSettings } from '../options/types.js'
import type { FrontendStats, JoinedStats } from '../reporting/stats.js'
import type { SupervisionConfig, SupervisionOptions } from '../supervision/policy.js'
import type { Supervisor } from '../supervision/supervisor.js'
import { Frontend, type FrontendHost, type FrontendDeps } from './frontend.js'
import type { FrontendRuntime, RuntimeEvents } from './types.js'
import {
  type ConnectionDeps,
  type PooledSession,
  type PooledSessionOptions,
  makeConnection,
  createPooledSession,
  startWorker,
} from './worker-runtime.js'

const MAX_TRUSTED = 1000

export class Frontends {
  /** Of those that run in a worker or process, by label. */
  readonly modules: Map<string, URL> = new Map<string, URL>()
  /** Told of each that is opened. */
  opened: (module: URL) => void = () => {}
  readonly #host: FrontendHost
  readonly #open = new Map<string, Frontend>()
  /** Settled once a frontend and its gate have gone. */
  readonly #ending = new Set<Promise<void>>()

  /** Labels that the log has a warning of. Of many, some may be warned of again. */
  readonly #trusted = new Set<string>()

  constructor(host: FrontendHost) {
    this.#host = host
  }

  /** Makes the calling thread a frontend. Its gate is supervised. */
  async connect(label: string, settings: ConnectionSettings, supervision: SupervisionConfig): Promise<Client> {
    const { client } = await this.#join(label, { label, settings, supervision }, makeConnection)
    return client
  }

  /** Adds a lane to a connection, or makes the first. Resolves once it has its link. */
  async addLane({ name, client, ...lane }: PooledSessionOptions): Promise<PooledSession> {
    return this.#join(name, lane, (parts, told) => createPooledSession({ ...parts, client }, told))
  }

  /** Starts a worker, which waits for `start` before it loads its module. Resolves once core has its link, and its gate is ready. */
  async open(label: string, module: URL, settings: FrontendSettings): Promise<{ start(): void }> {
    const { sandbox, supervision } = settings
    let booted!: () => void
    const boot = new Promise<void>(resolve => (booted = resolve))
    const strayed = (folder: string): void => this.#warnOfStray(label, folder)
    const worker = { label, module, settings, supervision, host: this.#host, booted, strayed }
    const makeGuest = (told: RuntimeEvents): FrontendRuntime => startWorker(worker, told)
    const process = isProcess(sandbox)
    const frontend = this.#keep(label, { label, settings, supervision, runs: false, isProcess: process, makeGuest })
    this.modules.set(label, module)
    void frontend.gone.then(() => this.modules.get(label) === module && this.modules.delete(label))
    this.opened(module)
    this.#warnOfTrust(label, sandbox)
    // A frontend that must not start in a sandbox with a hole says so itself.
    await this.#waitFor(frontend, isStrict(sandbox) ? boot : undefined)
    return { start: () => frontend.start() }
  }

  async close(label: string): Promise<void> {
    const frontend = this.#open.get(label)
    if (!frontend) {
      const hint = didYouMean(String(label), this.#open.keys())
      throw new BusError('InvalidParams', `There is no frontend ${describeName(String(label))}${hint}`)
    }
    await frontend.close()
  }

  /**
   * @param where who asks, for error texts
   * @param others names that it takes beside labels
   * @throws BusError `InvalidParams` for a label that there is not, and what keeps it from running again
   */
  async reload(where: string, label: string, others: readonly string[] = []): Promise<void> {
    const frontend = this.#open.get(label)
    const name = describeName(String(label))
    const hint = didYouMean(String(label), [...others, ...this.#open.keys()])
    if (!frontend) throw new BusError('InvalidParams', `${where}: there is no frontend ${name}${hint}`)
    if (await frontend.reload(true)) return
    throw new BusError('InvalidParams', `${where}: ${name} is the host’s own connection: it has nothing to load again`)
  }

  async reloadHooks(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map(frontend => frontend.reload(false)))
  }

  /** Resolves once all that can have a link to core has it. */
  async linked(): Promise<void> {
    await Promise.all([...this.#open.values()].map(frontend => frontend.linked()))
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.values()].map(frontend => frontend.close()))
    await Promise.all(this.#ending)
  }

  /** There is no core any more: what was on its way to it must settle, not wait. */
  failAll(cause: Error): void {
    const text = `core has ended for good: ${cause.message}`
    const error = new BusError('Disconnected', text, { data: { delivered: 'no' }, cause })
    for (const frontend of this.#open.values()) frontend.fail(error)
  }

  takeStats(marks: boolean): Record<string, FrontendStats> {
    const each = [...this.#open].map(([label, one]) => [label, { ...one.stats, ...one.takeTraffic(marks) }] as const)
    return Object.fromEntries(each)
  }

  /** What is known of them without core. */
  get stats(): Record<string, JoinedStats> {
    return Object.fromEntries([...this.#open].map(([label, { stats }]) => [label, stats]))
  }

  /** Core has come back. */
  wireAll(): void {
    for (const frontend of this.#open.values()) frontend.wire()
  }

  unwireAll(): void {
    for (const frontend of this.#open.values()) frontend.unwire()
  }

  attached(label: string, link: number): void {
    this.#open.get(label)?.attached(link)
  }

  refused(label: string, link: number, error: Error): void {
    this.#open.get(label)?.refused(link, error)
  }

  lost(label: string, link: number): void {
    this.#open.get(label)?.lost(link)
  }

  closed(label: string, link: number): void {
    this.#open.get(label)?.closed(link)
  }

  broken(label: string, link: number, error: Error): void {
    this.#open.get(label)?.broken(link, error)
  }

  async #join(
    name: string,
    { label, settings, supervision }: Omit<PooledSessionOptions, 'name' | 'client'>,
    make: (parts: ConnectionDeps, told: RuntimeEvents) => FrontendRuntime,
  ): Promise<PooledSession> {
    const { core, options } = this.#host
    const { timeout } = options.calls
    const deadlines = core.isFar
    let connected!: (client: Client) => void
    const first = new Promise<Client>(resolve => (connected = resolve))
    const makeGuest = (told: RuntimeEvents): FrontendRuntime =>
      make({ label, settings, timeout, deadlines, connected }, told)
    const frontend = this.#keep(name, { label, settings, supervision, runs: true, isProcess: false, makeGuest })
    frontend.start()
    await this.#waitFor(frontend)
    return { client: await first, gone: frontend.gone }
  }

  #keep(name: string, parts: Omit<FrontendDeps, 'name' | 'left'>): Frontend {
    if (this.#open.has(name)) {
      throw new BusError('InvalidParams', `There is a frontend ${JSON.stringify(name)} already`)
    }
    // The name is free at once; the gate takes a moment longer.
    const frontend = new Frontend(this.#host, { ...parts, name, left: () => this.#open.delete(name) })
    this.#open.set(name, frontend)
    const gone = frontend.gone.then(() => void this.#ending.delete(gone))
    this.#ending.add(gone)
    return frontend
  }

  async #waitFor(frontend: Frontend, boot?: Promise<void>): Promise<void> {
    try {
      await frontend.linkable
      if (boot) await Promise.race([boot, frontend.gone.then(error => Promise.reject(error))])
    } catch (error) {
      await frontend.close()
      throw error
    }
  }

  #warnOfTrust(label: string, sandbox: FrontendSettings['sandbox']): void {
    if (sandbox !== 'none' || this.#trusted.has(label)) return
    if (this.#trusted.size === MAX_TRUSTED) this.#trusted.clear()
    this.#trusted.add(label)
    this.#host.log.warn({ label }, 'This frontend has no sandbox: its code may do all that the host may')
  }

  #warnOfStray(label: string, folder: string): void {
    const text = 'Node lets this frontend read all below the working directory: see docs/security.md'
    this.#host.log.warn({ label, folder }, text)
  }
}

const isProcess = (sandbox: FrontendSettings['sandbox'] | undefined): boolean =>
  typeof sandbox === 'object' && sandbox.kind === 'process'

const isStrict = (sandbox: FrontendSettings['sandbox']): boolean =>
  typeof sandbox === 'object' && sandbox.kind === 'permission' && sandbox.strict

// How frontends come later, and what may end them all: the same for a host of core and for one that joins a bus.

export interface OpeningDeps {
  frontends: Frontends
  /** Of frontends that come later. */
  supervision: SupervisionOptions | undefined
}

/** Of a timer in Node, less the time that a thread is given to end. */
const MAX_TIMEOUT = 2 ** 31 - 1000

/**
 * @param where who asks, for error texts
 * @param check that the host is still there, once the options are known to be right
 */
export async function connectTo(
  where: string,
  { frontends, supervision }: OpeningDeps,
  check: () => void,
  label: string,
  options: ConnectionOptions | undefined,
): Promise<Client> {
  const settings = resolveConnection(where, label, options)
  check()
  return frontends.connect(label, settings, frontendSupervision(supervision))
}

export interface OpenFrontends {
  label: string
  module: ModuleLocation
  options: FrontendOptions | undefined
}

/** As `connectTo`, for a worker: resolves once its module is on its way. */
export async function createOpenFrontends(
  where: string,
  { frontends, supervision }: OpeningDeps,
  check: () => void,
  { label, module, options }: OpenFrontends,
): Promise<void> {
  const settings = resolveFrontend(where, label, options, supervision)
  const url = resolveLocation(`${where}: module`, module)
  await checkFile(`${where}: module`, url)
  check()
  const { start } = await frontends.open(label, url, settings)
  start()
}

/** @throws BusError `Disconnected` */
export function checkRunning(what: string, { state }: Pick<Supervisor, 'state'>): void {
  if (state !== 'running') throw new BusError('Disconnected', `${what} is ${state}`, { data: { delivered: 'no' } })
}

/** @throws BusError `InvalidParams` */
export function checkCloseTimeout(where: string, timeout: unknown): void {
  if (typeof timeout === 'number' && timeout >= 0 && timeout <= MAX_TIMEOUT) return
  throw new BusError('InvalidParams', `${where}: timeout must be milliseconds from 0 to ${MAX_TIMEOUT}`)
}
