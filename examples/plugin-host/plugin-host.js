// @ts-check
// Installs, calls and removes plugins, each a process of its own, behind a gate and a capability. One that misbehaves is
// removed at once, the others go on: the host waits for none of them without a deadline.
import { createBus, isBusError } from '@sallyport/core'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readPlugin } from './manifest.js'
import { FOR_ALL, capabilityOf } from './permissions.js'

/** More refusals than these are no mistake any more. */
const MOST_REFUSALS = 20
/** Milliseconds that a plugin may take to be loaded, and for a text. */
const START_TIMEOUT = 10_000
const CALL_TIMEOUT = 2000

/**
 * @typedef {object} Installed
 * @property {string} name
 * @property {number} refusals
 * @property {AbortController} over aborts as it is removed
 */

/**
 * @typedef {object} Options
 * @property {string} storage the folder that has a folder for each plugin
 * @property {string} documents the folder that plugins may read where they are granted it
 * @property {(plugin: import('./manifest.js').Plugin) => readonly string[]} grant of what it asks for, what it gets
 * @property {(name: string, why: string) => void} onStopped
 * @property {(name: string, text: string) => void} [onNotice]
 */

/** @param {Options} options */
export async function createPluginHost({ storage, documents, grant, onStopped, onNotice }) {
  const bus = await createBus({
    core: new URL('./core.js', import.meta.url),
    app: {
      security: {
        pattern: { use: 'isolation', options: { dir: new URL('./dist-isolation/', import.meta.url) } },
        capabilities: [FOR_ALL],
      },
    },
    log: false, // what there is to say goes to onStopped
  })
  /** By label; those that are being removed are in it no more. @type {Map<string, Installed>} */
  const plugins = new Map()
  /** Removals that are under way, by label. @type {Map<string, Promise<void>>} */
  const leaving = new Map()

  /** Removes one that misbehaves. @param {string} label @param {string} why */
  function stop(label, why) {
    const plugin = plugins.get(label)
    if (plugin === undefined) return
    onStopped(plugin.name, why)
    void remove(plugin.name)
  }
  /** @param {{ label: string, command: string, more?: number }} event */
  const refused = ({ label, command, more = 0 }) => {
    const plugin = plugins.get(label)
    if (plugin && (plugin.refusals += 1 + more) > MOST_REFUSALS) stop(label, `asks again and again for ${command}`)
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
   * Reads its manifest, grants it what the host allows, starts it, and waits until it has been loaded.
   *
   * @param {string} folder
   * @returns what it was granted
   */
  async function install(folder) {
    const plugin = await readPlugin(folder)
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
      // A call of what nobody exposes waits until the module has been loaded.
      await bus.call(label, 'loaded', {}, { timeout: START_TIMEOUT }).catch(ignore('MethodNotFound'))
      return granted
    } catch (error) {
      await faultOf(over, error)
      if (plugins.has(label)) await remove(plugin.name)
      throw error
    }
  }

  /** Its process ends, whatever it does, and nothing that it was allowed is left. @param {string} name */
  async function remove(name) {
    const label = `plugin-${name}`
    const plugin = plugins.get(label)
    if (!plugin) throw new Error(`There is no plugin ${name}`)
    plugins.delete(label)
    plugin.over.abort()
    // One that has ended by itself, or never began, has nothing left to close or to take away.
    const parts = [bus.closeFrontend(label), bus.removeCapability(label)]
    const removal = Promise.all(parts.map(part => part.catch(ignore('InvalidParams', 'Disconnected'))))
    const left = removal.then(() => void leaving.delete(label))
    leaving.set(label, left)
    await left
  }

  /** Hands a text from plugin to plugin, by their names. One that fails is passed over. @param {string} text */
  async function transform(text) {
    for (const label of [...plugins.keys()].toSorted()) {
      const { over } = plugins.get(label) ?? {}
      if (!over) continue // it has gone meanwhile
      try {
        const result = await bus.call(label, 'transform', { text }, { timeout: CALL_TIMEOUT, signal: over.signal })
        if (typeof result === 'string') text = result // its own word: the hook has seen that it is a text, and how long
      } catch (error) {
        await faultOf(over, error)
        stop(label, isBusError(error, 'Timeout') ? 'does not answer' : `fails: ${/** @type {Error} */ (error).message}`)
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
    ...(process.platform === 'linux' && { memory: 256 }), // what is no heap: buffers
  },
  supervision: { restart: 'temporary' }, // it is not started again behind the host's back
  maxInFlight: 16,
  overflow: 'reject',
}

/** Of one that has died: the fault, which says of what, and stops it, is about to come. @param {AbortController} over @param {unknown} error */
const faultOf = async ({ signal }, error) => {
  if (isBusError(error, 'Disconnected')) await delay(5000, undefined, { signal }).catch(() => {})
}

/** Ignores errors of these reasons. @param {...import('@sallyport/core').BusErrorReason} reasons */
const ignore =
  (...reasons) =>
  (/** @type {unknown} */ error) => {
    if (!reasons.some(reason => isBusError(error, reason))) throw error
  }
