// The frontends of a host, by name: workers that it started, and connections of its own thread.
import type { Client } from '@sallyport/frontend/internal'
import { BusError, describeName } from '@sallyport/protocol/internal/errors'
import { createDeferred, isDevelopment } from '@sallyport/protocol/internal/util'
import { createGlobMatcher } from '../../acl/identifier.js'
import type { Capability, RightsSource } from '../../acl/types.js'
import { createNoFrontendError } from '../../shared/frontend-errors.js'
import type { ConnectionConfig, FrontendConfig } from './config.js'
import type { FrontendStats, JoinedStats } from '../reporting/stats.js'
import { createLogOnce, type LogOnce } from '../sandboxes/sandbox.js'
import { describeEnd, type RuntimeEnd } from '../judge.js'
import { Frontend, type FrontendDeps } from './frontend.js'
import {
  createConnectionRuntime,
  createExternalRuntime,
  type ExternalRuntime,
  getClientStart,
} from './host-runtimes.js'
import type { ExternalFrontend, FrontendHost, FrontendInfo, PooledSession, PoolMember } from './types.js'
import { WorkerRuntime } from './worker-runtime.js'

/** Frontends that have ended by themselves and are remembered, with their options: a host can open any number of labels. */
const MAX_ENDED = 100
/** Labels that are remembered once their frontends are gone: closing one again is no mistake. */
const MAX_GONE = 1000

/** A frontend that has ended by itself, for as long as its label is not used again. */
interface RememberedFrontend {
  readonly module: URL
  readonly config: FrontendConfig
  readonly stats: FrontendStats
  readonly info: FrontendInfo
  readonly end: RuntimeEnd
}

export class Frontends {
  onOpened: (module: URL) => void = () => {}
  /** Resolves once core has the events that all modules emitted while they were loading. */
  synchronized: Promise<void> = Promise.resolve()
  readonly #host: FrontendHost
  readonly #open: Map<number, Frontend>
  readonly #byName = new Map<string, Frontend>()
  readonly #ended = new Map<string, RememberedFrontend>()
  readonly #gone = new Set<string>()
  #lastRun = 0
  readonly #logOnce: LogOnce

  constructor(host: FrontendHost, open: Map<number, Frontend>) {
    this.#host = host
    this.#open = open
    this.#logOnce = createLogOnce(host.log)
  }

  async connect(label: string, config: ConnectionConfig, member?: PoolMember): Promise<PooledSession> {
    const connected = createDeferred<Client>()
    const deps = { label, config, member, host: this.#host, onConnected: connected.resolve }
    const createRuntime: FrontendDeps['createRuntime'] = (events, terms) => createConnectionRuntime(deps, events, terms)
    const frontend = this.#add({ label, name: member?.name ?? label, config, isRunning: true, createRuntime })
    await this.#waitFor(frontend)
    return { client: await connected.promise, closed: frontend.exited }
  }

  /**
   * Starts a worker. Resolves once core has the link and the gate is ready, with a function that lets the worker load its module. The
   * function resolves once the module has been evaluated. It rejects with what the module throws, with `Timeout` after `loadTimeout`, or with
   * `Disconnected` if the frontend exits before that. The frontend is closed then.
   */
  async open(label: string, module: URL, config: FrontendConfig): Promise<() => Promise<void>> {
    const { sandbox, loaded, loadTimeout } = config
    let runtime!: WorkerRuntime
    let ended: RememberedFrontend | undefined
    const createRuntime: FrontendDeps['createRuntime'] = (events, terms, owners) =>
      (runtime = new WorkerRuntime({ label, module, config, host: this.#host, events, terms, owners }))
    const frontend = this.#add({ label, name: label, module, config, isRunning: false, createRuntime }, end => {
      if (!end || config.runsOnce) return
      ended = { module, config, stats: getLastStats(frontend), info: frontend.info, end }
      this.#remember(label, ended)
    })
    const wait = (step?: Promise<void>): Promise<void> =>
      this.#waitFor(frontend, step).catch(error => {
        // The caller of `open` gets the error of the first start. Another frontend can have had the label since.
        if (this.#ended.get(label) === ended) this.#ended.delete(label)
        throw error
      })
    this.onOpened(module)
    sandbox.announce?.(this.#logOnce, label)
    await wait()
    return async () => {
      frontend.start()
      if (!loaded) return
      const { load } = runtime
      this.synchronized = Promise.allSettled([this.synchronized, load.steps.synchronized.promise]).then(() => {})
      // The caller of a run limits its start, too.
      await wait(load.wait(config.runsOnce ? undefined : loadTimeout))
    }
  }

  async openExternal(label: string, config: ConnectionConfig): Promise<ExternalFrontend> {
    let runtime!: ExternalRuntime
    const createRuntime: FrontendDeps['createRuntime'] = (_events, terms) =>
      (runtime = createExternalRuntime(label, this.#host, terms))
    const frontend = this.#add({ label, name: label, config, isRunning: false, isExternal: true, createRuntime })
    await this.#waitFor(frontend)
    runtime.release()
    frontend.start()
    return {
      client: { ...getClientStart(label, config, this.#host), development: isDevelopment() },
      exited: frontend.exited,
      join: code => runtime.join(code),
      leave: code => runtime.leave(code),
      close: async () => void (await frontend.close()),
    }
  }

  /** Closes a frontend, or forgets one that has ended by itself. Does nothing for one that is gone. */
  async close(label: string, timeout: number): Promise<void> {
    if (this.#ended.delete(label) || (this.#gone.has(label) && !this.#byName.has(label))) return
    await this.#get(label).close(timeout)
  }

  async reload(where: string, label: string, otherNames: readonly string[] = []): Promise<void> {
    const ended = this.#ended.get(label)
    if (ended) return this.#reopen(label, ended)
    if (await this.#get(label, otherNames).reload(true)) return
    const message = `${where}: ${describeName(label)} has no module to reload: it is a connection of the host, or a run`
    throw new BusError('InvalidParams', message)
  }

  /** Trusted frontends that a removed capability named stay limited in later cores. Initial capabilities are known there. */
  endTrust({ windows = [], webviews = [] }: Pick<Capability, 'windows' | 'webviews'>): void {
    const matchers = [...windows, ...webviews].map(createGlobMatcher)
    const names = (label: string): boolean => matchers.some(matches => matches(label))
    for (const [label, frontend] of this.#byName) if (names(label)) frontend.deps.config.isTrusted = false
    for (const [label, { config }] of this.#ended) if (names(label)) config.isTrusted = false
  }

  async reloadHooks(): Promise<void> {
    await Promise.allSettled([...this.#byName.values()].map(frontend => frontend.reload(false)))
  }

  async connected(): Promise<void> {
    await Promise.all([...this.#byName.values()].map(frontend => frontend.connected()))
  }

  /** Resolves once the calls of connections that wait for a response now have been settled. A gate can hold calls that core does not know of yet. */
  async callsSettled(): Promise<void> {
    await Promise.all([...this.#byName.values()].map(frontend => frontend.callsSettled()))
  }

  /** Resolves once core has what all have sent so far. */
  async flushed(): Promise<void> {
    await Promise.all([...this.#byName.values()].map(frontend => frontend.flushed()))
  }

  refuseCalls(createError: () => BusError): void {
    for (const frontend of this.#byName.values()) frontend.refuseCalls(createError)
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.values()].map(frontend => frontend.close()))
  }

  /** Ends all frontends because core is gone for good, so that their pending calls settle. */
  failAll(cause: Error): void {
    const message = `core exited and will not be restarted: ${cause.message}`
    const error = new BusError('Disconnected', message, { data: { delivered: 'no' }, cause })
    for (const frontend of this.#byName.values()) frontend.fail(error)
  }

  /** Also has those that have ended by themselves, as they were at the end. */
  takeStats(resetRates: boolean): Record<string, FrontendStats> {
    const ended = [...this.#ended].map(([label, { stats }]) => [label, stats] as const)
    const open = [...this.#byName].map(([label, frontend]) => [label, getStats(frontend, resetRates)] as const)
    return Object.fromEntries([...ended, ...open])
  }

  get modules(): [label: string, module: URL][] {
    return [...this.#byName].flatMap(([label, { deps }]) => (deps.module ? [[label, deps.module]] : []))
  }

  get labels(): Iterable<string> {
    return this.#byName.keys()
  }

  list(): FrontendInfo[] {
    return [
      ...Array.from(this.#ended.values(), ({ info }) => ({ ...info })),
      ...Array.from(this.#byName.values(), ({ info }) => info),
    ]
  }

  /** Returns where the rights of the frontend are written that has this label, or had it last. */
  getRightsSource(label: string): RightsSource | undefined {
    return (this.#byName.get(label)?.deps.config ?? this.#ended.get(label)?.config)?.rightsSource
  }

  getInfo(label: string): FrontendInfo | undefined {
    return this.#byName.get(label)?.info ?? this.#ended.get(label)?.info
  }

  getEnd(label: string): RuntimeEnd | undefined {
    return this.#ended.get(label)?.end ?? this.#byName.get(label)?.end
  }

  get stats(): Record<string, JoinedStats> {
    return Object.fromEntries([...this.#byName].map(([label, { stats }]) => [label, stats]))
  }

  /** @param name - the frontend's name in core */
  get(name: string): Frontend | undefined {
    return this.#byName.get(name)
  }

  createRunLabel(): string {
    return `run-${++this.#lastRun}`
  }

  checkFree(name: string): void {
    const frontend = this.#byName.get(name)
    if (!frontend) return
    const { config, module } = frontend.deps
    const reload = module === undefined ? '' : ', or restart it with reload'
    const remedy = config.runsOnce
      ? 'It is a run that has not ended. Leave `label` out, and set `quotaLabel` if runs share their quotas'
      : `Close it with closeFrontend${reload}`
    throw new BusError('InvalidParams', `Frontend ${JSON.stringify(name)} already exists. ${remedy}`)
  }

  #remember(label: string, ended: RememberedFrontend): void {
    if (this.#ended.size === MAX_ENDED) this.#ended.delete(this.#ended.keys().next().value!)
    this.#ended.set(label, ended)
  }

  /** Opens a frontend that has ended by itself again. It can still be reloaded if that fails. */
  async #reopen(label: string, ended: RememberedFrontend): Promise<void> {
    try {
      const load = await this.open(label, ended.module, ended.config)
      await load()
    } catch (error) {
      if (!this.#byName.has(label)) {
        const stats: FrontendStats = { ...ended.stats, state: 'failed' }
        const info: FrontendInfo = { ...ended.info, state: 'failed', error: error as Error }
        this.#remember(label, { ...ended, stats, info, end: describeEnd(label, error as Error) })
      }
      throw error
    }
  }

  #add(deps: FrontendDeps, onEnd: (end: RuntimeEnd | undefined) => void = () => {}): Frontend {
    const { name, config } = deps
    if (config.allow && this.#host.core.isRemote) {
      const text = 'is not available for a host without core. Add a capability to the bus that has core'
      throw new BusError('InvalidParams', `${config.allow.from} ${text}`)
    }
    this.checkFree(name)
    const frontend = new Frontend(this.#host, deps, end => {
      this.#byName.delete(name)
      // A run closes itself, and there can be any number of them.
      if (!('runsOnce' in config && config.runsOnce)) this.#gone.add(name)
      if (this.#gone.size > MAX_GONE) this.#gone.delete(this.#gone.values().next().value!)
      onEnd(end)
    })
    this.#ended.delete(name)
    this.#open.set(frontend.id, frontend)
    this.#byName.set(name, frontend)
    // Its name is free sooner than its gate has ended.
    void frontend.exited.then(() => {
      this.#open.delete(frontend.id)
      if (frontend.hasServed('core')) this.#host.core.served?.()
    })
    return frontend
  }

  /** Resolves once the frontend is ready and has taken a further step of its start. Closes the frontend if it exits before that. */
  async #waitFor(frontend: Frontend, step?: Promise<void>): Promise<void> {
    try {
      await Promise.all([frontend.ready, step])
    } catch (error) {
      await frontend.close()
      throw error
    }
  }

  #get(label: string, otherNames: readonly string[] = []): Frontend {
    if (typeof label !== 'string') throw new BusError('InvalidParams', 'The label of a frontend must be a string')
    const frontend = this.#byName.get(label)
    if (!frontend) {
      throw createNoFrontendError(label, [...otherNames, ...this.#byName.keys()], this.#ended.get(label)?.end.why)
    }
    return frontend
  }
}

const getStats = (frontend: Frontend, resetRates: boolean): FrontendStats => ({
  ...frontend.stats,
  ...frontend.takeTraffic(resetRates),
  served: frontend.served.stats,
})

/** Returns the statistics of a frontend that has just exited: its gate stops now. */
function getLastStats(frontend: Frontend): FrontendStats {
  const stats = getStats(frontend, false)
  const { gate } = stats
  return gate && gate.state !== 'failed' ? { ...stats, gate: { ...gate, state: 'stopped' } } : stats
}
