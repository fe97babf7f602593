// @ts-check
// Installs, calls and removes plugins. Each runs in its own process, behind a gate and with a capability. A plugin that misbehaves is
// removed at once, and the others continue. The host never waits for a plugin without a timeout.
import { createBus, isBusError } from '@sallyport/core'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readPlugin } from './manifest.js'
import { FOR_ALL, capabilityOf } from './permissions.js'

/** Number of refused calls after which a plugin is stopped. */
const MAX_REFUSALS = 20
/** Limits in ms: of loading a plugin, and of transforming a text. */
const START_TIMEOUT = 10_000
const CALL_TIMEOUT = 2000

/**
 * @typedef {object} Installed
 * @property {string} name
 * @property {number} refusals
 * @property {AbortController} over aborts when the plugin is removed
 */

/**
 * @typedef {object} Options
 * @property {string} storage the directory with a directory for each plugin
 * @property {string} documents the directory that plugins can read if this is granted
 * @property {(plugin: import('./manifest.js').Plugin) => readonly string[]} grant returns those of the requested permissions that the plugin gets
 * @property {(name: string, why: string) => void} onStopped
 * @property {(name: string, text: string) => void} [onNotice]
 */

/** @param {Options} options */
export async function createPluginHost({ storage, documents, grant, onStopped, onNotice }) {
  const bus = await createBus({
    core: new URL('./core.js', import.meta.url),
    isolation: { dir: new URL('./dist-isolation/', import.meta.url) },
    capabilities: [FOR_ALL],
    log: false, // onStopped reports what matters
  })
  /** Installed plugins by label, without those that are being removed. @type {Map<string, Installed>} */
  const plugins = new Map()
  /** Removals in progress, by label. @type {Map<string, Promise<void>>} */
  const leaving = new Map()

  /** Stops a plugin that misbehaves. @param {string} label @param {string} why */
  function stop(label, why) {
    const plugin = plugins.get(label)
    if (plugin === undefined) return
    onStopped(plugin.name, why)
    void remove(plugin.name)
  }
  /** @param {{ label: string, command: string, more?: number }} event */
  const refused = ({ label, command, more = 0 }) => {
    const plugin = plugins.get(label)
    if (plugin && (plugin.refusals += 1 + more) > MAX_REFUSALS) stop(label, `keeps calling ${command}`)
  }
  bus.on('fault', ({ label, error }) => stop(label, error.message))
  bus.on('denied', refused)
  bus.on('rejected', refused)
  await bus.listen('notice', ({ payload }) => {
    const { label, text } = /** @type {{ label: string, text: string }} */ (payload)
    const plugin = plugins.get(label)
    if (plugin) onNotice?.(plugin.name, text)
  })

  /**
   * Reads the manifest, grants permissions, starts the plugin, and waits until it has loaded.
   *
   * @param {string} directory
   * @returns the granted permissions
   */
  async function install(directory) {
    const plugin = await readPlugin(directory)
    const label = `plugin-${plugin.name}`
    await leaving.get(label)
    if (plugins.has(label)) throw new Error(`There is a plugin ${plugin.name} already`)
    const over = new AbortController()
    plugins.set(label, { name: plugin.name, refusals: 0, over })
    try {
      const own = join(storage, plugin.name)
      await mkdir(own, { recursive: true })
      const granted = grant(plugin).filter(name => plugin.permissions.some(asked => asked === name))
      await bus.addCapability(capabilityOf(label, granted, { storage: own, documents }))
      await bus.open(label, plugin.module, { ...SANDBOX, loaded: false })
      // A call of a function that is not exposed waits until the module has loaded.
      await bus.call(label, 'loaded', {}, { timeout: START_TIMEOUT }).catch(ignore('MethodNotFound'))
      return granted
    } catch (error) {
      const fault = faultOf(error)
      if (fault !== undefined) stop(label, fault)
      if (plugins.has(label)) await remove(plugin.name)
      throw error
    }
  }

  /** Ends the plugin's process, and removes its permissions. @param {string} name */
  async function remove(name) {
    const label = `plugin-${name}`
    const plugin = plugins.get(label)
    if (!plugin) throw new Error(`There is no plugin ${name}`)
    plugins.delete(label)
    plugin.over.abort()
    // A plugin that has ended by itself, or never started, has nothing to close or to remove.
    const parts = [bus.closeFrontend(label), bus.removeCapability(label)]
    const removal = Promise.all(parts.map(part => part.catch(ignore('InvalidParams', 'Disconnected'))))
    const left = removal.then(() => void leaving.delete(label))
    leaving.set(label, left)
    await left
  }

  /** Passes a text through all plugins, in the order of their names. Skips a plugin that fails. @param {string} text */
  async function transform(text) {
    for (const label of [...plugins.keys()].toSorted()) {
      const { over } = plugins.get(label) ?? {}
      if (!over) continue // removed meanwhile
      try {
        const result = await bus.call(label, 'transform', { text }, { timeout: CALL_TIMEOUT, signal: over.signal })
        if (typeof result === 'string') text = result // untrusted: the hook has only checked that it is a string, and its length
      } catch (/** @type {any} */ error) {
        stop(label, isBusError(error, 'Timeout') ? 'does not answer' : (faultOf(error) ?? `fails: ${error.message}`))
        await leaving.get(label)
      }
    }
    return text
  }

  const names = () => [...plugins.values()].map(({ name }) => name).toSorted()
  async function close() {
    await Promise.all(leaving.values())
    await bus.close()
  }
  return { install, remove, transform, names, close }
}

/** @type {import('@sallyport/core').FrontendOptions} */
const SANDBOX = {
  sandbox: {
    kind: 'process',
    resourceLimits: { maxOldGenerationSizeMb: 64 },
    ...(process.platform === 'linux' && { memory: 256 }), // also covers buffers, which are not in the heap
  },
  supervision: { restart: 'temporary' }, // the host decides about a restart
  maxInFlight: 16,
  overflow: 'reject',
}

/** Returns the error that ended the plugin, if that is why a call failed. @param {any} error */
const faultOf = error =>
  isBusError(error, 'Disconnected') && error.cause instanceof Error ? error.cause.message : undefined

/** Ignores errors of these reasons. @param {...import('@sallyport/core').BusErrorReason} reasons */
const ignore =
  (...reasons) =>
  (/** @type {unknown} */ error) => {
    if (!reasons.some(reason => isBusError(error, reason))) throw error
  }
