// @ts-check
// Installs, calls, reloads and removes plugins. Each runs in its own process, behind a gate, with limits and the commands that it may use.
// A plugin that misbehaves is removed, and the others continue.
import { createBus, isBusError } from '@sallyport/core'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readPlugin } from './manifest.js'
import { NO_EVENTS, toAllow } from './permissions.js'

/** @type {import('@sallyport/core').FrontendOptions} */
const LIMITS = {
  // `memory` also covers buffers, which are not in the heap. It needs Linux.
  sandbox: {
    kind: 'process',
    resourceLimits: { maxOldGenerationSizeMb: 64 },
    ...(process.platform === 'linux' && { memory: 256 }),
  },
  supervision: { restart: 'temporary' },
  maxInFlight: 16,
  overflow: 'reject',
}

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
    capabilities: [NO_EVENTS],
    calls: { timeout: 2000 },
    log: false, // onStopped reports what matters
  })
  bus.on('exited', ({ label, reason }) => onStopped(label, reason))
  await bus.listen('notice', ({ payload }) => {
    const { label, text } = /** @type {{ label: string, text: string }} */ (payload)
    onNotice?.(label, text)
  })

  /** Starts a plugin, and returns the permissions that it got. @param {string} directory */
  async function install(directory) {
    const plugin = await readPlugin(directory)
    const granted = grant(plugin).filter(name => plugin.permissions.some(asked => asked === name))
    const own = join(storage, plugin.name)
    await mkdir(own, { recursive: true })
    await bus.open(plugin.name, plugin.module, { ...LIMITS, allow: toAllow(granted, { storage: own, documents }) })
    return granted
  }

  /** Gives a text to all plugins, and returns their answers by name, which are untrusted. Removes a plugin that fails. @param {string} text */
  async function transform(text) {
    /** @type {Record<string, unknown>} */
    const answers = {}
    for (const [name, result] of Object.entries(await bus.callAll('transform', { text }))) {
      if (result.status === 'fulfilled') answers[name] = result.value
      else if (!isBusError(result.reason, 'Disconnected')) {
        // `exited` reports that
        await bus.closeFrontend(name)
        onStopped(name, result.reason.message)
      }
    }
    return answers
  }
  return {
    install,
    transform,
    list: () => bus.frontends(),
    reload: (/** @type {string} */ name) => bus.reload(name),
    remove: (/** @type {string} */ name) => bus.closeFrontend(name),
    close: () => bus.close(),
  }
}
