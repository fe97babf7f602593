// @ts-check
// Opens the plugins of a directory: each runs in its own process, behind a gate, with limits and what it was granted. A plugin that
// misbehaves is disabled, and the others continue.
import { createBus, isBusError } from '@sallyport/core'
import { openPlugins } from '@sallyport/plugin-host'
import { fileURLToPath } from 'node:url'

const documents = fileURLToPath(new URL('documents', import.meta.url))

/** What a manifest can request, and what that allows. */
const PERMISSIONS = {
  storage: ['fs:own'],
  documents: [{ permission: 'fs:read-files', allow: [`${documents}/*`] }],
  notify: ['notify'],
}

/** For all plugins: denies events, by which plugins could talk to each other. */
const NO_EVENTS = {
  identifier: 'no-events',
  windows: ['*'],
  permissions: ['listen', 'emit', 'emit-to'].map(name => `core:event:deny-${name}`),
}

/** @type {import('@sallyport/plugin-host').PluginFrontendOptions} */
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
  settings: { documents },
}

/**
 * @typedef {object} Options
 * @property {string} directory the directory of plugins
 * @property {string[]} [packages] directories of further plugins
 * @property {(plugin: import('@sallyport/plugin-host').PluginInfo) => boolean} [enable] which plugins start at once
 * @property {string} [grants] the file of grants
 * @property {import('@sallyport/plugin-host').Ask} ask decides what a plugin gets
 * @property {(name: string, why: string) => void} onStopped
 * @property {(name: string, text: string) => void} [onNotice]
 */

/** @param {Options} options */
export async function createPluginHost({ onStopped, onNotice, ...options }) {
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
  const plugins = await openPlugins(bus, { ...options, permissions: PERMISSIONS, frontend: LIMITS })

  /** Gives a text to all plugins, and returns their answers by name, which are untrusted. Disables a plugin that fails. @param {string} text */
  async function transform(text) {
    /** @type {Record<string, unknown>} */
    const answers = {}
    for (const [name, result] of Object.entries(await bus.callAll('transform', { text }))) {
      if (result.status === 'fulfilled') answers[name] = result.value
      else if (!isBusError(result.reason, 'Disconnected')) {
        // `exited` reports what has ended by itself.
        const isRunning = plugins.list().some(({ label, state }) => label === name && state === 'running')
        await plugins.disable(name)
        if (isRunning) onStopped(name, result.reason.message)
      }
    }
    return answers
  }
  return { plugins, transform, close: () => bus.close() }
}
