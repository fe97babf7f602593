// One plugin: from its directory to a frontend of the bus, and back.
import type { Bus, FrontendInfo, FrontendOptions, Sandbox, ScopedPermission } from '@sallyport/core'
import { isBusError } from '@sallyport/core'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AskDeps, getRights } from './ask.js'
import { readIntegrity } from './content.js'
import { isPluginError, PluginError } from './errors.js'
import { type ManifestRules, type PluginManifest, readManifest } from './manifest.js'
import { getPermissionName, type RequestedPermission, type Rights } from './requests.js'

/** What the plugin host uses of a bus. */
export type PluginBus = Pick<Bus, 'open' | 'closeFrontend' | 'frontends' | 'on'>

/** A plugin, as lists and events have it. */
export interface PluginInfo {
  /** Label of its frontend. */
  readonly label: string
  /** Name of the package. */
  readonly name: string
  /** Version of the package. */
  readonly version: string
  /** Real path of its directory. */
  readonly directory: string
  /**
   * `invalid`: its manifest or its label. `disabled`, `asking`, `refused`, `starting`, `stopping`. After its start, the state of its frontend:
   * `running`, `restarting`, `failed`, `stopped` and others.
   */
  readonly state: FrontendInfo['state'] | 'invalid' | 'disabled' | 'asking' | 'refused' | 'stopping'
  /** Its sandbox, while it has a frontend. */
  readonly sandbox?: FrontendInfo['sandbox']
  /** The wall around its process. */
  readonly wall?: string
  /** The last error. */
  readonly error?: Error
  /** What its manifest requests. */
  readonly requested: Rights
  /** What it has, once it was started. */
  readonly granted?: Rights
  /** Default settings of its manifest. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** Options of the frontend of a plugin. */
export type PluginFrontendOptions = Omit<FrontendOptions, 'allow' | 'data'> & {
  /** What each plugin may call, in addition to what is granted. */
  allow?: readonly (string | ScopedPermission)[]
  /** Settings that replace those of the manifest: the plugin reads them by `getData()`. */
  settings?: Readonly<Record<string, unknown>>
}

export interface PluginDeps extends Omit<AskDeps, 'onAsking'> {
  readonly bus: PluginBus
  readonly rules: ManifestRules
  readonly permissions: Readonly<Record<string, readonly RequestedPermission[]>> | undefined
  readonly getOptions: (plugin: PluginInfo) => PluginFrontendOptions
  readonly onChange: (plugin: Plugin) => void
}

/** `open`: its frontend has a state. */
type OwnState = 'invalid' | 'disabled' | 'asking' | 'refused' | 'starting' | 'stopping' | 'failed' | 'open'

const NO_RIGHTS: Rights = { permissions: [], net: false }

export class Plugin {
  readonly label: string
  readonly directory: string
  readonly #deps: PluginDeps
  #manifest: PluginManifest | undefined
  #granted: Rights | undefined
  #state: OwnState
  #error: Error | undefined
  #starting: { promise: Promise<void>; abort: AbortController } | undefined
  #stopping: Promise<void> = Promise.resolve()
  isWatched = false

  /** @param found - the manifest, or why there is none @param conflict - why it cannot have its label */
  constructor(label: string, directory: string, found: PluginManifest | Error, deps: PluginDeps, conflict?: Error) {
    this.label = label
    this.directory = directory
    this.#deps = deps
    this.#manifest = found instanceof Error ? undefined : found
    this.#error = found instanceof Error ? found : conflict
    this.#state = this.#error ? 'invalid' : 'disabled'
  }

  /** True unless it has to be read again. */
  get isValid(): boolean {
    return this.#state !== 'invalid'
  }

  get info(): PluginInfo {
    const { name = this.label, version = '', permissions, net = false, settings = {} } = this.#manifest ?? {}
    const frontend = this.#state === 'open' ? this.#frontend : undefined
    const error = this.#error ?? frontend?.error
    return {
      ...{ label: this.label, name, version, directory: this.directory, settings },
      state: this.#state === 'open' ? (frontend?.state ?? 'stopped') : this.#state,
      ...(frontend && { sandbox: frontend.sandbox, ...(frontend.wall !== undefined && { wall: frontend.wall }) }),
      ...(error && { error }),
      requested: permissions ? { permissions, net } : NO_RIGHTS,
      ...(this.#granted && { granted: this.#granted }),
    }
  }

  /** True if it runs, or will. */
  get isEnabled(): boolean {
    return this.#starting?.abort.signal.aborted === false || this.#state === 'open'
  }

  get #frontend(): FrontendInfo | undefined {
    return this.#deps.bus.frontends().find(({ label }) => label === this.label)
  }

  /** Starts it unless it runs. @throws {PluginError | BusError} why it does not */
  enable(): Promise<void> {
    if (!this.isValid) return Promise.reject(this.#error!)
    if (this.#starting && !this.#starting.abort.signal.aborted) return this.#starting.promise
    const abort = new AbortController()
    const promise = this.#start(abort.signal, this.#stopping)
      .catch((error: Error) => {
        abort.signal.throwIfAborted()
        this.#error = error
        const isInvalid = error instanceof PluginError && /^Invalid(?:Manifest|Content)$/.test(error.code)
        this.#change(isInvalid ? 'invalid' : isPluginError(error, 'Refused') ? 'refused' : 'failed')
        throw error
      })
      .finally(() => {
        if (this.#starting?.abort === abort) this.#starting = undefined
      })
    this.#starting = { promise, abort }
    return promise
  }

  async #start(signal: AbortSignal, stopping: Promise<void>): Promise<void> {
    await stopping
    signal.throwIfAborted()
    const { bus, rules } = this.#deps
    const before = this.#frontend
    const isEnded = before?.state === 'failed' || before?.state === 'stopped'
    if (this.#state === 'open' && before && !isEnded) return
    if (before && !isEnded) {
      throw new PluginError('LabelInUse', `${this.label}: another frontend has this label. Use the option "prefix"`)
    }
    this.#error = undefined
    const manifest = await readManifest(this.directory, rules)
    if (this.#manifest && manifest.name !== this.#manifest.name) {
      throw new PluginError('InvalidManifest', `the name has changed`, { file: this.directory, key: 'name' })
    }
    this.#manifest = manifest
    const integrity = await readIntegrity(this.directory)
    const asked = { label: this.label, manifest, integrity, signal, isWatched: this.isWatched }
    const granted = await getRights({ ...this.#deps, onAsking: () => this.#change('asking') }, asked)
    signal.throwIfAborted()
    this.#granted = granted
    const options = this.#getFrontendOptions(manifest, granted)
    this.#change('starting')
    await bus.open(this.label, manifest.main, options)
    if (signal.aborted) await this.#close()
    signal.throwIfAborted()
    this.#change('open')
  }

  #getFrontendOptions(manifest: PluginManifest, { permissions, net }: Rights): FrontendOptions {
    const { allow = [], settings, sandbox = 'process', ...options } = this.#deps.getOptions(this.info)
    const table = this.#deps.permissions
    const granted = table ? permissions.flatMap(entry => table[getPermissionName(entry)] ?? []) : permissions
    return {
      ...options,
      sandbox: withRights(sandbox, this.directory, net),
      allow: [...allow, ...granted],
      data: { ...manifest.settings, ...settings },
    }
  }

  /** Ends it, also while it starts. Resolves if it is not running. */
  disable(): Promise<void> {
    const starting = this.#starting
    starting?.abort.abort(new PluginError('Cancelled', `${this.label}: it was disabled`))
    this.#stopping = this.#stopping.then(() => this.#stop(starting?.promise))
    return this.#stopping
  }

  async #stop(starting: Promise<void> | undefined): Promise<void> {
    let isSettled = starting === undefined
    const settled = starting?.catch(() => {}).then(() => (isSettled = true))
    while (!isSettled) {
      // A frontend that loads ends, and one that is not known to the bus yet ends soon.
      if (this.#state === 'starting') await this.#close()
      await Promise.race([settled, sleep(20)])
    }
    if (this.#state === 'open') {
      this.#change('stopping')
      await this.#close()
    }
    if (this.isValid && this.#state !== 'disabled') this.#change('disabled')
  }

  async #close(): Promise<void> {
    await this.#deps.bus.closeFrontend(this.label).catch((error: unknown) => {
      // The bus does not know it yet.
      if (!isBusError(error, 'Disconnected')) throw error
    })
  }

  #change(state: OwnState): void {
    this.#state = state
    this.#deps.onChange(this)
  }
}

/** Adds the directory that the plugin reads, and the network. */
function withRights(sandbox: Sandbox, directory: string, net: boolean): Sandbox {
  const options: Exclude<Sandbox, string> | { kind: 'none' | 'quickjs' } =
    typeof sandbox === 'object' ? sandbox : { kind: sandbox as 'permission' }
  if (options.kind !== 'permission' && options.kind !== 'process') return sandbox
  return { ...options, read: [...(options.read ?? []), directory], ...(net && { net }) }
}
