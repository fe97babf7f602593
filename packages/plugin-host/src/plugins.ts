// All plugins of a host.
import { EventEmitter } from 'node:events'
import { lstat, readdir, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { PluginError } from './errors.js'
import type { Grants } from './grants.js'
import { type InstallOptions, replace, unpack } from './install.js'
import { toLabel } from './label.js'
import { readManifest } from './manifest.js'
import { Plugin, type PluginDeps, type PluginInfo } from './plugin.js'
import { watchDirectory } from './watch.js'

export interface PluginsDeps extends Omit<PluginDeps, 'onChange'> {
  readonly grants: Grants
  readonly prefix: string
  readonly directory: string | undefined
  readonly packages: readonly string[]
}

/** Plugins of a bus: `openPlugins` returns it. */
export class Plugins {
  readonly #deps: PluginsDeps
  readonly #pluginDeps: PluginDeps
  readonly #events = new EventEmitter()
  /** By directory. */
  readonly #watchers = new Map<string, () => Promise<void>>()
  readonly #unsubscribe: (() => void)[]
  #plugins: Plugin[] = []
  #changing: Promise<unknown> = Promise.resolve()

  /** @internal */
  constructor(deps: PluginsDeps) {
    this.#deps = deps
    this.#pluginDeps = { ...deps, onChange: plugin => this.#emit(plugin.info) }
    const onEvent = ({ label }: { label: string }): void => {
      const plugin = this.#plugins.find(each => each.label === label)
      // The bus changes the state right after its event.
      if (plugin) setImmediate(() => this.#emit(plugin.info))
    }
    const { bus } = deps
    this.#unsubscribe = [bus.on('restart', onEvent), bus.on('failed', onEvent), bus.on('exited', onEvent)]
  }

  /** Returns all plugins, sorted by their labels. */
  list(): PluginInfo[] {
    return this.#plugins.map(({ info }) => info).toSorted((a, b) => (a.label < b.label ? -1 : 1))
  }

  /** Calls the listener for each change of a plugin: its state, its rights, its version. Returns an unsubscribe function. */
  on(event: 'change', listener: (plugin: PluginInfo) => void): () => void {
    this.#events.on(event, listener)
    return () => void this.#events.off(event, listener)
  }

  /**
   * Starts a plugin unless it runs. Asks for what its manifest requests, if no grant covers its present content.
   *
   * @param options.watch - restarts the plugin when one of its files changes, and asks only for new requests
   * @throws {PluginError} InvalidManifest, InvalidContent, LabelInUse, Refused; Cancelled if it is disabled meanwhile; UnknownPlugin
   * @throws {BusError} why its frontend does not start, as `bus.open`
   */
  async enable(label: string, { watch = false }: { watch?: boolean } = {}): Promise<void> {
    const plugin = this.#get(label)
    if (watch && !plugin.isWatched) {
      await this.#watch(plugin)
      if (!plugin.isWatched) throw new PluginError('Cancelled', `${label}: it was disabled`)
    }
    const valid = plugin.isValid ? plugin : await this.#readAgain(plugin)
    await valid.enable()
  }

  /** Ends a plugin, also while it starts or is asked about. Resolves for one that does not run. @throws {PluginError} UnknownPlugin */
  async disable(label: string): Promise<void> {
    const plugin = this.#get(label)
    await Promise.all([plugin.disable(), this.#unwatch(plugin)])
  }

  /** Ends a plugin, and starts it with its manifest and its files as they are now. Starts one that is disabled. @throws like `enable` */
  async reload(label: string): Promise<void> {
    const plugin = this.#get(label)
    const valid = plugin.isValid ? plugin : await this.#readAgain(plugin)
    // The order of calls decides, however long each takes.
    void valid.disable().catch(() => {})
    await valid.enable()
  }

  /**
   * Puts a package into the directory of plugins, without running any of its scripts. Another version of it is replaced, and starts again if it
   * was running: then `ask` decides about the new content. A new plugin is disabled.
   *
   * @param spec - `name@1.2.3` of a registry, or the path or file URL of a tarball (`.tgz`)
   * @throws {PluginError} InstallFailed; InvalidManifest, InvalidContent, LabelInUse; InvalidOption without a directory
   * @example const { label } = await plugins.install('@acme/x@1.2.3')
   */
  install(spec: string | URL, options: InstallOptions = {}): Promise<PluginInfo> {
    const installing = this.#changing.then(() => this.#install(spec, options))
    this.#changing = installing.catch(() => {})
    return installing
  }

  async #install(spec: string | URL, options: InstallOptions): Promise<PluginInfo> {
    const { directory: parent, grants, rules, prefix } = this.#deps
    if (parent === undefined) throw new PluginError('InvalidOption', 'install needs the option "directory"')
    const unpacked = await unpack(spec, options, { parent, grants, rules })
    try {
      const { name } = unpacked.manifest
      const label = toLabel(name, prefix)
      const others = this.#plugins.filter(plugin => plugin.label === label)
      const before = others.find(({ info, directory }) => info.name === name && dirname(directory) === parent)
      const target = before?.directory ?? join(parent, toLabel(name))
      const isTaken = !before && (await lstat(target).catch(() => undefined))
      if (isTaken || others.some(plugin => plugin !== before)) {
        throw new PluginError('LabelInUse', `${name}: another plugin has the label ${label}`, { file: target })
      }
      const wasEnabled = before?.isEnabled ?? false
      if (before) await Promise.all([before.disable(), this.#unwatch(before)])
      await unpacked.pin()
      await replace(unpacked.directory, target)
      const plugin = before ? await this.#readAgain(before) : (await this.#add([target]))[0]!
      if (wasEnabled) await plugin.enable().catch(() => {})
      return plugin.info
    } finally {
      await unpacked.remove()
    }
  }

  /** Ends all plugins, and removes the listeners on the bus. */
  async close(): Promise<void> {
    await Promise.all(this.#plugins.map(({ label }) => this.disable(label)))
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }

  /** Calls `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal Reads the directories. */
  async read(): Promise<void> {
    const { directory, packages } = this.#deps
    await this.#add([...(directory === undefined ? [] : await findDirectories(directory)), ...packages])
  }

  async #add(directories: readonly string[]): Promise<Plugin[]> {
    const { prefix, rules } = this.#deps
    const found = await Promise.all(
      directories.map(async path => {
        try {
          const directory = await realpath(path)
          const manifest = await readManifest(directory, rules)
          return { directory, manifest, label: toLabel(manifest.name, prefix, { file: directory, key: 'name' }) }
        } catch (error) {
          return { directory: path, manifest: error as Error, label: basename(path) }
        }
      }),
    )
    const places = new Map<string, string[]>()
    const claims = [
      ...this.#plugins.filter(({ info }) => info.version !== ''),
      ...found.filter(({ manifest }) => !(manifest instanceof Error)),
    ]
    for (const { label, directory } of claims) places.set(label, [...(places.get(label) ?? []), directory])
    const added = found.map(({ label, directory, manifest }) => {
      const claimed = places.get(label) ?? []
      const text = `the label ${label} is that of several plugins: ${claimed.join(', ')}`
      const conflict = claimed.length > 1 ? new PluginError('LabelInUse', text, { file: directory }) : undefined
      return new Plugin(label, directory, manifest, this.#pluginDeps, conflict)
    })
    this.#plugins.push(...added)
    for (const { info } of added) this.#emit(info)
    return added
  }

  /** Its name, and so its label, can be another one now. */
  async #readAgain(plugin: Plugin): Promise<Plugin> {
    const isSame = (each: Plugin): boolean => each === plugin || (each.label === plugin.label && !each.isValid)
    const directories = this.#plugins.filter(isSame).map(({ directory }) => directory)
    this.#plugins = this.#plugins.filter(each => !isSame(each))
    const added = await this.#add(directories)
    const again = added[directories.indexOf(plugin.directory)]!
    again.isWatched = plugin.isWatched
    return again
  }

  async #watch(plugin: Plugin): Promise<void> {
    plugin.isWatched = true
    // A start that fails waits for the next change, and `list` has its error.
    const restart = (): Promise<void> => this.reload(plugin.label).catch(() => {})
    this.#watchers.set(plugin.directory, await watchDirectory(plugin.directory, restart))
    if (!plugin.isWatched) await this.#unwatch(plugin)
  }

  async #unwatch(plugin: Plugin): Promise<void> {
    plugin.isWatched = false
    await this.#watchers.get(plugin.directory)?.()
    this.#watchers.delete(plugin.directory)
  }

  /** An invalid plugin never takes a label from another one. */
  #get(label: string): Plugin {
    const plugins = this.#plugins.filter(each => each.label === label)
    const plugin = plugins.find(({ isValid }) => isValid) ?? plugins[0]
    if (plugin) return plugin
    const known = this.#plugins.map(each => each.label).join(', ') || 'none'
    throw new PluginError('UnknownPlugin', `there is no plugin ${JSON.stringify(label)}. There is ${known}`)
  }

  #emit(info: PluginInfo): void {
    for (const listener of this.#events.listeners('change')) {
      try {
        listener(info)
      } catch (error) {
        // It is the listener's fault, and the plugin goes on.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}

/** Returns the directories in a directory, also those of a scope (`@acme/x`). */
async function findDirectories(directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter(name => !name.startsWith('.') && name !== 'node_modules').toSorted()
  const found = await Promise.all(
    names.map(async name => {
      const path = join(directory, name)
      if (!(await lstat(path)).isDirectory()) return []
      return name.startsWith('@') ? findDirectories(path) : [path]
    }),
  )
  return found.flat()
}
