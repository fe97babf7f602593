// All plugins of a host.
import { type Bus, BusError } from '@sallyport/core'
import { BOOLEAN, checkOptions, FUNCTION, getLog, isYes } from '@sallyport/core/internal'
import { mkdir, opendir, readdir, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setImmediate } from 'node:timers'
import { readIntegrity } from './content.js'
import { PluginError } from './errors.js'
import { Grants } from './grants.js'
import {
  createTemporary,
  type InstallOptions,
  recover,
  removeAll,
  removeTemporary,
  replace,
  unpack,
  type Unpacked,
} from './install.js'
import { isBelow, readManifest, toLabel } from './manifest.js'
import type { PluginInfo, PluginsOptions, ResolvedOptions } from './options.js'
import { resolveOptions } from './options.js'
import { Plugin, type PluginDeps } from './plugin.js'

const isMatch =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && pattern.test(value)
// What pacote does not understand, it does not check, or takes from npm.
const INTEGRITY = [
  isMatch(/^sha(?:1|256|384|512)-[A-Za-z\d+/]+={0,2}$/),
  'a hash as in package-lock.json: "sha512-..."',
] as const
const REGISTRY = [isMatch(/^https?:\/\//i), 'an HTTP URL'] as const

/** Plugins of a bus: `openPlugins` returns it. */
export class Plugins {
  readonly #deps: PluginDeps
  readonly #options: ResolvedOptions
  readonly #grants: Grants
  readonly #listeners = new Set<(plugin: PluginInfo) => void>()
  readonly #unsubscribe: (() => void)[]
  #plugins: readonly Plugin[] = []
  #changing: Promise<unknown> = Promise.resolve()
  readonly #closing = new AbortController()

  /** @internal */
  constructor(bus: Bus, options: ResolvedOptions, grants: Grants) {
    this.#options = options
    this.#grants = grants
    const onChange = ({ info }: Plugin): void => {
      // An error of a listener is its own.
      for (const listener of this.#listeners) queueMicrotask(() => listener(info))
    }
    this.#deps = { bus, options, grants, getPlugins: () => this.#plugins, onChange }
    const onEvent = ({ label }: { label: string }): void => {
      const plugin = this.#plugins.find(each => each.label === label && each.hasFrontend)
      // The bus changes the state right after its event.
      if (plugin) setImmediate(onChange, plugin)
    }
    this.#unsubscribe = (['restart', 'failed', 'exited'] as const).map(name => bus.on(name, onEvent))
  }

  /** Returns all plugins, sorted by their labels. */
  list(): PluginInfo[] {
    return this.#plugins.map(({ info }) => info).toSorted((a, b) => (a.label < b.label ? -1 : 1))
  }

  /** Calls the listener for each change of a plugin: its state, its rights, its version. Returns an unsubscribe function. */
  on(event: 'change', listener: (plugin: PluginInfo) => void): () => void {
    checkOptions('plugins.on', { [event]: listener }, { change: FUNCTION })
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /**
   * Starts a plugin unless it runs. Asks for what its manifest requests, if no grant covers its present content.
   * @param options.watch - restarts the plugin when one of its files changes, and asks only for new requests
   * @throws {PluginError} InvalidPlugin, LabelInUse, Refused; Cancelled if it is disabled meanwhile; UnknownPlugin
   * @throws {BusError} why its frontend does not start, as `bus.open`
   */
  async enable(label: string, options: { watch?: boolean } = {}): Promise<void> {
    checkOptions('plugins.enable', options, { watch: BOOLEAN })
    await this.#getOpen(label).enable(options.watch)
  }

  /** Ends a plugin, also while it starts or is asked about. Resolves for one that does not run. @throws {PluginError} UnknownPlugin */
  async disable(label: string): Promise<void> {
    await this.#get(label).disable()
  }

  /** Ends a plugin, and starts it with its manifest and its files as they are now. Starts one that is disabled. @throws like `enable` */
  async reload(label: string): Promise<void> {
    await this.#getOpen(label).reload()
  }

  /**
   * Puts a package into the directory of plugins, without running any of its scripts. Another version of it is replaced, also if it is broken, and
   * starts again if it was running: then `ask` decides about the new content. If the new version is refused or does not start, the old one is back
   * with its grant, and starts. A new plugin is disabled.
   *
   * @param spec - `name@1.2.3` of a registry, or the path or file URL of a tarball (`.tgz`)
   * @throws {BusError} InvalidParams without a directory
   * @throws {PluginError} InstallFailed; InvalidPlugin, LabelInUse; as `enable` if the new version does not start
   * @example const { label } = await plugins.install('@acme/x@1.2.3')
   */
  async install(spec: string | URL, options: InstallOptions = {}): Promise<PluginInfo> {
    const { directory: parent } = this.#options
    checkOptions('plugins.install', options, { integrity: INTEGRITY, registry: REGISTRY })
    if (parent === undefined) {
      throw new BusError('InvalidParams', 'plugins.install needs the option "directory" of openPlugins')
    }
    await mkdir(parent, { recursive: true })
    const temporary = await createTemporary(parent)
    try {
      // A registry can take as long as it likes: meanwhile, other packages are installed.
      const unpacked = await unpack(spec, temporary.temporary, options, this.#options, this.#closing.signal)
      return await this.#enqueue(() => this.#put(unpacked, parent, temporary.old))
    } finally {
      await removeTemporary(temporary)
    }
  }

  /**
   * Ends a plugin, and removes its directory, and its grant unless `keepGrant` is true: if it is installed again, `ask` decides again.
   * @throws {BusError} InvalidParams if it is not in `directory`
   * @throws {PluginError} UnknownPlugin; LabelInUse if several plugins have the label; InvalidGrants
   */
  async uninstall(label: string, options: { keepGrant?: boolean } = {}): Promise<void> {
    checkOptions('plugins.uninstall', options, { keepGrant: BOOLEAN })
    const plugin = this.#get(label)
    const { conflict, directory: file } = plugin
    if (conflict) throw conflict
    if (!isBelow(this.#options.directory ?? file, file)) {
      throw new BusError('InvalidParams', `plugins.uninstall: ${label} is not in the directory of plugins: ${file}`)
    }
    // Not one after the other, because an install can wait for an answer.
    await plugin.disable(async () => {
      if (!this.#plugins.includes(plugin)) return
      if (options.keepGrant !== true) await this.#forget(plugin)
      await removeAll(file)
    })
    this.#plugins = this.#plugins.filter(each => each !== plugin)
    await plugin.disable() // It can have been enabled meanwhile.
  }

  /** Ends a plugin, and removes its grant: `ask` decides again before it starts. @throws {PluginError} UnknownPlugin, InvalidGrants */
  async revoke(label: string): Promise<void> {
    const plugin = this.#get(label)
    await plugin.disable(() => this.#forget(plugin))
  }

  /** Without a readable name, it can be each of its label. */
  #forget({ name, label }: Plugin): Promise<void> {
    return this.#grants.remove(each =>
      name === undefined ? toLabel(this.#options.prefix, each) === label : each === name,
    )
  }

  /** Packages are put into the directory one after the other. */
  #enqueue<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(change)
    this.#changing = changed.catch(() => {})
    return changed
  }

  async #put({ directory, manifest, integrity }: Unpacked, parent: string, old: string): Promise<PluginInfo> {
    const { prefix } = this.#options
    const { label, name, version } = manifest
    // No package can have this name, so nothing finds it by a name that it imports.
    const own = join(parent, `_${label.slice(prefix.length)}`)
    const before =
      this.#plugins.find(each => each.name === name && dirname(each.directory) === parent) ??
      this.#plugins.find(each => each.directory === own)
    const plugin = before ?? new Plugin(own, this.#deps)
    const target = plugin.directory
    // Another program can have put a plugin there.
    let { name: found = name } = plugin
    if (!before) await readManifest(own, { ...this.#options, onName: each => (found = each) }).catch(() => {})
    const others = this.#plugins.filter(each => each !== plugin && each.hasLabel(label, name))
    if (others.length > 0 || (found !== name && toLabel(prefix, found) === label)) {
      throw new PluginError('LabelInUse', `${name}: another plugin has the label ${label}`, { file: target })
    }
    await this.#grants.checkLabel(label, name)
    await this.#grants.pin({ name, version, integrity })
    const granted = await this.#grants.get(name)
    const wasEnabled = plugin.isEnabled
    const kept = join(old, basename(target))
    const put = async (from: string, aside: string): Promise<void> => {
      await replace(from, target, aside)
      await plugin.read()
    }
    const replaced = plugin.disable(() => put(directory, kept))
    const { stops } = plugin
    await replaced
    // It can have been uninstalled meanwhile.
    if (!this.#plugins.includes(plugin)) this.#plugins = [...this.#plugins, plugin]
    // Also if somebody has ended or revoked it meanwhile.
    if (!wasEnabled || this.#closing.signal.aborted || plugin.stops !== stops) return plugin.info
    await plugin.enable().catch(async (error: unknown) => {
      // Somebody has ended it meanwhile.
      if (plugin.stops !== stops) return
      const restored = plugin.disable(async () => {
        const refused = await readIntegrity(target).catch(() => '')
        await put(kept, directory)
        if (granted) await this.#grants.restore(granted, { version, integrity: refused })
      })
      await Promise.allSettled([restored, plugin.enable()])
      throw error
    })
    return plugin.info
  }

  /** Ends all plugins, and removes the listeners on the bus. No plugin starts any more. */
  async close(): Promise<void> {
    this.#closing.abort(new PluginError('Cancelled', 'the plugin host is closed'))
    await Promise.all(this.#plugins.map(plugin => plugin.disable()))
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }

  /** Calls `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal Reads the directories. */
  async read(): Promise<void> {
    const { directory, packages = [] } = this.#options
    if (directory !== undefined) await recover(directory)
    const paths = [...(directory === undefined ? [] : await findDirectories(directory)), ...packages]
    const directories = await Promise.all(paths.map(path => realpath(path).catch(() => path)))
    this.#plugins = [...new Set(directories)].map(each => new Plugin(each, this.#deps))
    await Promise.all(this.#plugins.map(plugin => plugin.read()))
  }

  /** Returns a plugin that can start. */
  #getOpen(label: string): Plugin {
    this.#closing.signal.throwIfAborted()
    return this.#get(label)
  }

  /** An invalid plugin never takes a label from another one. */
  #get(label: string): Plugin {
    const plugins = this.#plugins.filter(each => each.label === label)
    const plugin = plugins.find(({ info }) => info.state !== 'invalid') ?? plugins[0]
    if (plugin) return plugin
    const known = this.#plugins.map(each => each.label).join(', ') || 'none'
    throw new PluginError('UnknownPlugin', `there is no plugin ${JSON.stringify(label)}. There is ${known}`)
  }
}

/**
 * Reads plugins, asks for the rights that they request, and starts each as a frontend of the bus. Resolves when each has started or has not:
 * `list()` says which, and why. A plugin that fails does not affect the others. One that is invalid is also a warning in the log of the bus.
 *
 * @throws {BusError} InvalidParams, also for a directory that does not exist
 * @throws {PluginError} InvalidGrants if the file of grants is malformed
 * @example const plugins = await openPlugins(bus, { directory: new URL('./plugins/', import.meta.url), ask: () => true })
 */
export async function openPlugins(bus: Bus, options: PluginsOptions): Promise<Plugins> {
  const resolved = resolveOptions(options)
  const { enable, directory } = resolved
  if (directory !== undefined) {
    const readDirectory = async (): Promise<string> =>
      (await opendir(directory)).close().then(() => realpath(directory))
    resolved.directory = await readDirectory().catch((cause: unknown) => {
      const text = `openPlugins: directory: ${directory} cannot be read. Create it, or name another one`
      throw new BusError('InvalidParams', text, { cause })
    })
  }
  const grants = new Grants(resolved.grants)
  await grants.read()
  const plugins = new Plugins(bus, resolved, grants)
  await plugins.read()
  const isWanted = (plugin: PluginInfo): boolean =>
    plugin.state !== 'invalid' &&
    (typeof enable === 'function' ? isYes('openPlugins: enable', enable(plugin) ?? false) : enable)
  const choosing = Promise.resolve(plugins.list()).then(all => all.filter(isWanted))
  const wanted = await choosing.catch((error: Error) => plugins.close().then(() => Promise.reject(error)))
  // `list` has the errors.
  await Promise.all(wanted.map(({ label }) => plugins.enable(label).catch(() => {})))
  const mistakes = plugins.list().flatMap(({ state, error }) => (state === 'invalid' && error ? [error.message] : []))
  for (const message of new Set(mistakes)) getLog(bus).warn(`A plugin is invalid: ${message}`)
  return plugins
}

async function findDirectories(parent: string): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true })
  const names = entries.filter(each => each.isDirectory()).map(({ name }) => name)
  const found = names
    .filter(name => !name.startsWith('.') && name.toLowerCase() !== 'node_modules')
    .map(async name => {
      const path = join(parent, name)
      // One that cannot be read is an invalid plugin, and stops no other.
      return name.startsWith('@') ? findDirectories(path).catch(() => [path]) : [path]
    })
  return (await Promise.all(found)).flat()
}
