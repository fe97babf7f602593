// One plugin: from its directory to a frontend of the bus, and back.
import { type Bus, BusError, type FrontendOptions, isBusError, type Sandbox } from '@sallyport/core'
import { every, type FrontendInfo, isOpenedWith, later, listOwnRights, openPlugin } from '@sallyport/core/internal'
import { type FSWatcher, watch } from 'chokidar'
import { relative, sep } from 'node:path'
import { getRights } from './ask.js'
import { readIntegrity } from './content.js'
import { PluginError } from './errors.js'
import type { Grants } from './grants.js'
import { type PluginManifest, readManifest, toLabel } from './manifest.js'
import type { PluginInfo, ResolvedOptions } from './options.js'
import { getPermissionName, type RequestedPermission, type Rights, select } from './rights.js'

export interface PluginDeps {
  readonly bus: Bus
  readonly grants: Grants
  readonly options: ResolvedOptions
  getPlugins(): readonly Plugin[]
  onChange(plugin: Plugin): void
}

/** `open`: its frontend has a state. */
type OwnState = 'invalid' | 'disabled' | 'asking' | 'refused' | 'starting' | 'stopping' | 'failed' | 'open'

const STATES: Record<string, OwnState> = { InvalidPlugin: 'invalid', LabelInUse: 'invalid', Refused: 'refused' }

export class Plugin {
  readonly directory: string
  readonly #deps: PluginDeps
  /** As its manifest had it last. */
  name: string | undefined
  manifest: PluginManifest | undefined
  /** True if its name could be read last, whatever else is wrong. */
  #hasName = false
  #granted: Rights | undefined
  /** That of its frontend, which is known by it. */
  #source: Parameters<typeof openPlugin>[1] | undefined
  #state: OwnState = 'disabled'
  #error: Error | undefined
  #start: { readonly promise: Promise<void>; readonly abort: AbortController } | undefined
  #last: Promise<void> = Promise.resolve()
  stops = 0
  #watching: Promise<() => Promise<void>> | undefined

  constructor(directory: string, deps: PluginDeps) {
    this.directory = directory
    this.#deps = deps
  }

  /** That of its name. Without one, its directory has a name that a package could have: `@acme/x`. */
  get label(): string {
    const [own = ''] = /(?:@[^\\/]*[\\/])?[^\\/]*$/.exec(this.directory) ?? []
    return toLabel(this.#deps.options.prefix, this.name ?? own)
  }

  get info(): PluginInfo {
    const { version = '', permissions = [], net = false, settings = {} } = this.manifest ?? {}
    const frontend = this.#state === 'open' ? this.#frontend : undefined
    const conflict = this.#state === 'disabled' ? this.conflict : undefined
    const ownState = conflict ? 'invalid' : this.#state
    return {
      ...{ label: this.label, name: this.name ?? this.label, version, settings, granted: this.#granted },
      directory: this.directory,
      state: ownState === 'open' ? (frontend?.state ?? 'stopped') : ownState,
      ...{ sandbox: frontend?.sandbox, wall: frontend?.wall },
      error: conflict ?? this.#error ?? frontend?.error,
      requested: { permissions, net },
    }
  }

  /** True if it runs, or will. */
  get isEnabled(): boolean {
    return this.#start !== undefined || this.#state === 'open'
  }

  /** True unless the frontend with its label is of the program, or of another host. */
  get hasFrontend(): boolean {
    return this.#source !== undefined && isOpenedWith(this.#deps.bus, this.label, this.#source)
  }

  /** Who has its label. */
  get #holder(): FrontendInfo | undefined {
    return this.#deps.bus.frontends().find(({ label }) => label === this.label)
  }

  get #frontend(): FrontendInfo | undefined {
    return this.hasFrontend ? this.#holder : undefined
  }

  get #rivals(): readonly Plugin[] {
    return this.#deps.getPlugins().filter(each => each !== this && each.hasLabel(this.label, this.name))
  }

  /** True if no package of this name can have the label beside it. An invalid plugin keeps its label from packages of other names. */
  hasLabel(label: string, name: string | undefined): boolean {
    return this.label === label && this.#hasName && (this.manifest !== undefined || this.name !== name)
  }

  get conflict(): PluginError | undefined {
    const rivals = this.#rivals
    if (rivals.length === 0) return undefined
    const places = [this, ...rivals].map(({ directory }) => directory).toSorted()
    const text = `the label ${this.label} is that of several plugins: ${places.join(', ')}`
    return new PluginError('LabelInUse', text, { file: this.directory })
  }

  /** Reads the manifest of a plugin that does not run: its name, and so its label, can be another one now. */
  async read(): Promise<void> {
    await this.#read().catch((error: Error) => this.#fail(error))
  }

  async #read(): Promise<PluginManifest> {
    // Also if the rest of the manifest is wrong.
    const onName = (name: string): void => {
      this.name = name
      this.#hasName = true
    }
    this.#hasName = false
    const reading = readManifest(this.directory, { ...this.#deps.options, onName })
    this.manifest = await reading.catch(() => undefined)
    this.#error = undefined
    this.#state = 'disabled'
    return reading
  }

  /** Starts it unless it runs. @throws {PluginError | BusError} why it does not */
  enable(isWatched = false): Promise<void> {
    if (isWatched) {
      // A start that fails waits for the next change, and `list` has its error.
      const onChange = (): void => void (this.#watching && this.reload().catch(() => {}))
      this.#watching ??= watchDirectory(this.directory, onChange)
    }
    if (this.#start) return this.#start.promise
    const abort = new AbortController()
    const promise = this.#enqueue(() => this.#open(abort.signal))
      .catch((error: Error) => {
        abort.signal.throwIfAborted()
        this.#fail(error)
        throw error
      })
      .finally(() => {
        if (this.#start?.abort === abort) this.#start = undefined
      })
    this.#start = { promise, abort }
    return promise
  }

  /** Ends it, and starts it as it is now. The order of calls decides, however long each takes. */
  reload(): Promise<void> {
    this.#stop().catch(() => {})
    return this.enable()
  }

  /** Ends it, also while it starts. Resolves if it is not running. @param change - changes its rights or its files before it can start again */
  async disable(change?: () => Promise<void>): Promise<void> {
    const watching = this.#watching
    this.#watching = undefined
    await Promise.all([this.#stop(change), watching?.then(end => end())])
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    const done = this.#last.then(task)
    this.#last = done.catch(() => {})
    return done
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { bus, grants, options } = this.#deps
    await this.#watching
    signal.throwIfAborted()
    if (this.#state === 'open' && isRunning(this.#frontend)) return
    const manifest = await this.#read()
    // Another plugin with this label can be gone by now.
    await Promise.all(this.#rivals.filter(each => !each.isEnabled).map(each => each.read()))
    const { conflict } = this
    if (conflict) throw conflict
    if (isRunning(this.#holder)) {
      throw new PluginError('LabelInUse', `${this.label}: another frontend has this label. Use the option "prefix"`)
    }
    await grants.checkLabel(this.label, manifest.name)
    await this.#checkCapabilities(signal)
    await this.#checkPermissions(manifest)
    const read = (): Promise<string> => readIntegrity(this.directory)
    const [isWatched, onAsking] = [this.#watching !== undefined, () => this.#change('asking')]
    const asked = { manifest, integrity: await read(), signal, isWatched, onAsking, readIntegrity: read }
    this.#granted = await getRights({ grants, ask: options.ask, askTimeout: options.askTimeout }, asked)
    signal.throwIfAborted()
    await grants.claimLabel(this.label, manifest.name)
    const frontendOptions = this.#getFrontendOptions(manifest, this.#granted)
    const source = this.#getSource(manifest, this.#granted)
    this.#source = source
    this.#change('starting')
    // A frontend that loads ends, and one that the bus does not know yet ends soon.
    const endClosing = every(RETRY_INTERVAL_MS, () => void (signal.aborted && this.#close().catch(() => {})))
    const opening = openPlugin(bus, source, this.label, manifest.main, frontendOptions).finally(endClosing)
    await opening.catch(throwAsOption)
    this.#state = 'open'
    signal.throwIfAborted()
    this.#change('open')
  }

  /** Without a prefix, nobody has meant a plugin by a capability that names its label. @throws {PluginError} LabelInUse */
  async #checkCapabilities(signal: AbortSignal): Promise<void> {
    if (this.#deps.options.prefix !== '') return
    const [right] = await this.#listOwnRights(signal)
    if (right === undefined) return
    const text = `${this.label}: a capability of this program allows ${right} to this label. Use the option "prefix"`
    throw new PluginError('LabelInUse', text)
  }

  /** Waits for a core that restarts, as `bus.open` does. */
  async #listOwnRights(signal: AbortSignal): Promise<string[]> {
    const { bus } = this.#deps
    for (;;) {
      const rights = await listOwnRights(bus, this.label).catch(async (error: unknown) => {
        const { core } = await bus.stats()
        if (!isBusError(error, 'Disconnected') || /^(?:draining|stopped|failed)$/.test(core.state)) throw error
      })
      if (rights) return rights
      await new Promise<void>(resolve => void later(RETRY_INTERVAL_MS, resolve))
      signal.throwIfAborted()
    }
  }

  /** What does not exist is not asked about. @throws {PluginError} InvalidPlugin for an unknown permission or command, or a wrong scope */
  async #checkPermissions({ permissions, fail }: PluginManifest): Promise<void> {
    const { bus, options } = this.#deps
    await bus.describe(this.label, { allow: this.#getAllowed(permissions) }).catch((error: Error) => {
      // Core restarts: `bus.open` waits for it, and checks them again.
      if (!isBusError(error, 'InvalidParams')) return
      const [, index, text] = /allow\[(\d+)\](?:\.permission)?: (.*)/s.exec(error.message) ?? []
      if (index === undefined || options.permissions) throw error
      fail(`permissions.${index}`, text!)
    })
  }

  #getAllowed(permissions: Rights['permissions']): RequestedPermission[] {
    const table = this.#deps.options.permissions
    return permissions.flatMap(entry => (table ? (table[getPermissionName(entry)] ?? []) : entry))
  }

  #getSource(manifest: PluginManifest, granted: Rights): Parameters<typeof openPlugin>[1] {
    const table = this.#deps.options.permissions
    const refused = select(manifest, false, granted).permissions
    const names = [...refused.map(getPermissionName), ...Object.keys(table ?? {})]
    const rights = names.map((name, index) => {
      const isAsked = index < refused.length
      return { name, entries: table?.[name] ?? [refused[index] ?? name], isAsked }
    })
    return { place: manifest.rightsPlace, rights, isComplete: table !== undefined }
  }

  #getFrontendOptions(manifest: PluginManifest, { permissions, net }: Rights): FrontendOptions {
    const { frontend } = this.#deps.options
    const options = typeof frontend === 'function' ? frontend(this.info) : frontend
    const { allow = [], settings, sandbox = 'process', ...others } = options
    return {
      ...others,
      sandbox: limitSandbox(sandbox, this.directory, net),
      allow: [...allow, ...this.#getAllowed(permissions)],
      data: { ...manifest.settings, ...settings },
    }
  }

  #stop(change?: () => Promise<void>): Promise<void> {
    this.stops += 1
    this.#start?.abort.abort(new PluginError('Cancelled', `${this.label}: it was disabled`))
    this.#start = undefined
    return this.#enqueue(async () => {
      if (this.#state === 'open') {
        this.#change('stopping')
        await this.#close()
      }
      if (this.#state !== 'disabled' && this.#state !== 'invalid') this.#change('disabled')
      if (!change) return
      await change()
      this.#granted = undefined
      this.#change(this.#state)
    })
  }

  async #close(): Promise<void> {
    if (this.#holder && !this.hasFrontend) return
    await this.#deps.bus.closeFrontend(this.label).catch((error: unknown) => {
      // The bus does not know it yet.
      if (!isBusError(error, 'Disconnected')) throw error
    })
  }

  #fail(error: Error): void {
    this.#error = error
    this.#change((error instanceof PluginError && STATES[error.code]) || 'failed')
  }

  #change(state: OwnState): void {
    this.#state = state
    this.#deps.onChange(this)
  }
}

const isRunning = (frontend: FrontendInfo | undefined): boolean =>
  frontend !== undefined && frontend.state !== 'failed' && frontend.state !== 'stopped'

function limitSandbox(sandbox: Sandbox, directory: string, isGranted: boolean): Sandbox {
  const options = (typeof sandbox === 'object' ? sandbox : { kind: sandbox }) as Extract<Sandbox, { kind: 'process' }>
  const { net, secrets: _forHostsOfNet, ...others } = options
  if (!/^(?:permission|process)$/.test(options.kind)) return isGranted || typeof sandbox === 'string' ? sandbox : others
  const read = [...(options.read ?? []), directory]
  if (isGranted) return { ...options, read, net: net ?? true }
  // Without the option, Node and the wall deny the network where they can.
  return net === undefined ? { ...others, read } : { ...others, read, net: false }
}

function throwAsOption(error: unknown): never {
  if (!isBusError(error, 'InvalidParams') || !error.message.startsWith('bus.open:')) throw error
  throw new BusError(error.reason, error.message.replace('bus.open:', 'openPlugins: frontend:'), { cause: error })
}

/** Of a frontend that is closed before the bus knows it, and of a core that restarts. */
const RETRY_INTERVAL_MS = 20
/** Changes are reported together after this time without another one: editors and compilers write many files at once. */
const QUIET_MS = 100

/** Calls `onChange` after changes. Resolves once the files are watched, with a function that ends it. */
async function watchDirectory(directory: string, onChange: () => void): Promise<() => Promise<void>> {
  const isIgnored = (name: string): boolean => name === 'node_modules' || (name.startsWith('.') && name !== '..')
  const ignored = (path: string): boolean => relative(directory, path).split(sep).some(isIgnored)
  let endWait = (): void => {}
  let isEnded = false
  const begin = async (): Promise<FSWatcher> => {
    // A link can lead to a whole disk, and links to each other have endless paths.
    const watcher = watch(directory, { ignoreInitial: true, ignored, followSymlinks: false })
    // Without a watch, changes are just not seen.
    watcher.on('error', () => {})
    await new Promise<void>(resolve => watcher.once('ready', resolve))
    // Links that it finds until then are no changes.
    return watcher.on('all', () => {
      endWait()
      endWait = later(QUIET_MS, renew)
    })
  }
  // If the directory was removed and written again, the watcher still has the one that is gone.
  const renew = (): void => {
    watching = watching.then(watcher => watcher.close()).then(begin)
    void watching.then(() => isEnded || onChange())
  }
  let watching = begin()
  await watching
  return async () => {
    isEnded = true
    endWait()
    await (await watching).close()
  }
}
