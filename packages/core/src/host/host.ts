// The part that a bus and a remote host share: they open and close frontends, report events, and close once.
import { setImmediate as nextTick } from 'node:timers/promises'
import { BusError, describeName, isBusError } from '@sallyport/protocol/internal/errors'
import type { RightsSource } from '../acl/types.js'
import type { ModuleLocation } from '../shared/locations.js'
import { check } from '../shared/validate.js'
import { DEFAULT_CLOSE_MS } from '../life/policy.js'
import { Frontends } from '../life/frontends/frontends.js'
import { HostServices } from '../life/frontends/services.js'
import type { Frontend } from '../life/frontends/frontend.js'
import type { CoreEndpoint, ExternalFrontend, PooledSession, PoolMember } from '../life/frontends/types.js'
import { closeSchema, moduleSchema } from '../options/schema.js'
import { checkModule } from '../options/check-files.js'
import type { FrontendConfig, HostConfig } from '../life/frontends/config.js'
import type { BusConfig } from '../options/config.js'
import { resolveConnection, resolveFrontend } from '../options/resolve-frontend.js'
import type { ConnectionOptions, FrontendOptions, ModuleSource } from '../options/types.js'
import { type BusEvents, checkListener } from '../life/reporting/events.js'
import { isDefaultLog, loadPino } from '../life/reporting/log.js'

export interface HostNames {
  /** Name of the handle: `bus`. */
  name: string
  /** `The bus`. */
  subject: string
}

type HostOptions = HostConfig & Partial<Pick<BusConfig, 'core' | 'webview' | 'appInfo' | 'resources'>>

export class Host<Core extends CoreEndpoint = CoreEndpoint> extends HostServices {
  declare readonly options: HostOptions
  readonly core: Core
  readonly frontends: Frontends
  readonly #names: HostNames
  readonly #startedAt = performance.now()
  readonly #opening = new Set<{ readonly label: string; isClosed: boolean }>()
  #stopDevMode: (() => Promise<void>) | undefined
  #closing: Promise<void> | undefined

  /** @param createCore - `open` are the frontends that core reports to, by number */
  constructor(
    options: HostOptions,
    names: HostNames,
    createCore: (services: HostServices, open: ReadonlyMap<number, Frontend>) => Core,
  ) {
    super(options)
    const { isolation, pattern } = options
    this.#names = names
    if (pattern === 'isolation') this.gateThreads.prepare()
    const open = new Map<number, Frontend>()
    this.core = createCore(this, open)
    this.frontends = new Frontends(this, open)
    if (pattern === 'isolation' && !isolation.dir) {
      const effect = 'its hook passes every message. Calls are still encrypted and authorized'
      this.log.warn(`The isolation pattern has no dir, so ${effect}`)
    }
  }

  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  get uptime(): number {
    return Math.round(performance.now() - this.#startedAt)
  }

  /** Opens the frontends of the options, and loads their modules once core is ready too. */
  async start(coreReady?: Promise<void>): Promise<void> {
    const { dev, frontends } = this.options
    const opening = frontends.map(({ label, module, ...config }) => this.frontends.open(label, module, config))
    const logReady = isDefaultLog(this.options.log) ? loadPino() : undefined
    const [opened] = await Promise.all([Promise.all(opening), coreReady, logReady])
    this.supervisor.signal('core.ready')
    if (dev) this.#stopDevMode = await (await import('./dev-mode.js')).startDevMode(this)
    if (this.isClosing) return this.#stopDevMode?.()
    await Promise.all(
      opened.map((load, at) =>
        load().catch((error: Error) => Promise.reject(nameFrontend(frontends[at]!.label, error))),
      ),
    )
  }

  async connect(
    label: string,
    options?: ConnectionOptions,
    member?: PoolMember,
    users?: Pick<FrontendConfig, 'codec' | 'maxConfirms'>,
  ): Promise<PooledSession> {
    const config = { ...resolveConnection(`${this.#names.name}.connect`, label, options, this.options), ...users }
    this.checkRunning()
    return this.frontends.connect(label, config, member)
  }

  async open(
    label: string,
    module: ModuleLocation | ModuleSource,
    options?: FrontendOptions,
    rightsSource?: RightsSource,
  ): Promise<void> {
    const where = `${this.#names.name}.open`
    const { url, text } = check(`${where}: module`, moduleSchema, module)
    const opening = { label, isClosed: false }
    this.#opening.add(opening)
    let config: FrontendConfig
    try {
      config = await resolveFrontend(where, label, options, { ...this.options, text, threads: this.sharedThreads })
      await checkModule(`${where}: module`, url, text)
    } finally {
      this.#opening.delete(opening)
    }
    if (opening.isClosed)
      throw new BusError('Disconnected', `Frontend ${describeName(label)} was closed while it was opened`)
    this.checkRunning()
    const load = await this.frontends.open(label, url, { ...config, rightsSource })
    await load()
  }

  async openExternal(
    where: string,
    label: string,
    options: ConnectionOptions,
    limitLabel: string,
  ): Promise<ExternalFrontend> {
    // Such code is a web page, whose client has no MessagePack.
    const defaults = { ...this.options, codec: 'json' } as const
    const config = { ...resolveConnection(where, label, options, defaults), isTrusted: false, limitLabel }
    this.checkRunning()
    return this.frontends.openExternal(label, config)
  }

  async reload(name: string): Promise<void> {
    this.checkRunning()
    const { core, frontends } = this
    if (name !== 'core' || !core.reload) {
      return frontends.reload(`${this.#names.name}.reload`, name, core.reload ? ['core'] : [])
    }
    await core.reload()
    await frontends.connected()
  }

  on<Name extends keyof BusEvents>(
    name: Name,
    handler: (event: BusEvents[Name]) => void,
    names?: ReadonlySet<string>,
  ): () => void {
    checkListener(`${this.#names.name}.on`, name, handler, names)
    return this.reporter.on(name, handler)
  }

  /** @throws {BusError} InvalidParams; Disconnected for an unknown label */
  async closeFrontend(label: string, options: { timeout?: number } = {}): Promise<void> {
    const timeout = this.#checkTimeout('closeFrontend', options) ?? 0
    const opening = [...this.#opening].filter(each => each.label === label)
    for (const each of opening) each.isClosed = true
    if (opening.length === 0 || this.frontends.getInfo(label)) await this.frontends.close(label, timeout)
  }

  /** Ends the host once, after the messages of this tick. `stop` ends core and all frontends. @throws {BusError} InvalidParams */
  async close(options: { timeout?: number } = {}, stop: (timeout: number) => Promise<void>): Promise<void> {
    const timeout = this.#checkTimeout('close', options) ?? DEFAULT_CLOSE_MS
    // What is made from now on begins no more, whoever of this thread makes it.
    this.frontends.refuseCalls(() => this.createClosedError())
    return (this.#closing ??= this.#close(timeout, stop))
  }

  #checkTimeout(method: string, options: { timeout?: number }): number | undefined {
    return check(`${this.#names.name}.${method}`, closeSchema, options).timeout
  }

  async #close(timeout: number, stop: (timeout: number) => Promise<void>): Promise<void> {
    this.supervisor.signal('drain')
    await this.#stopDevMode?.()
    await nextTick()
    this.processes.pool?.drain()
    await stop(timeout)
    await this.processes.pool?.close()
    this.gateThreads.close()
    await this.sharedThreads.close()
    this.supervisor.signal('ended')
  }

  /** @throws {BusError} Disconnected unless the host is running */
  checkRunning(): void {
    const { state } = this.supervisor
    if (state === 'running') return
    if (this.isClosing) throw this.createClosedError()
    throw new BusError('Disconnected', `${this.#names.subject} is ${state}`, { data: { delivered: 'no' } })
  }

  createClosedError(): BusError {
    const { name, subject } = this.#names
    const text = `${subject} was closed by ${name}.close()`
    return new BusError('Disconnected', text, { code: 'CLOSED', data: { delivered: 'no' } })
  }
}

/** What a module throws does not say which of several frontends has failed. */
function nameFrontend(label: string, error: Error): Error {
  const { message, stack } = error
  const name = describeName(label)
  if (!isBusError(error, 'LoadFailed') || message.includes(name)) return error
  error.message = `frontend ${name}: ${message}`
  if (stack !== undefined) error.stack = stack.replace(message, () => error.message)
  return error
}
