// Installs, calls and removes plugins. Each is a frontend in a sandbox, behind the hook of dist-isolation/, with a capability
// of its own. One that throws outside of a call, or does not answer, is removed; the others go on.
import { createBus, isBusError } from '@sallyport/core'
import { readFile, readdir } from 'node:fs/promises'

/**
 * @param {object} options
 * @param {(name: string, asked: string[]) => string[]} options.grant the permissions that a plugin gets
 * @param {(name: string, text: string) => void} options.onNotice
 * @param {(name: string, why: string) => void} options.onStopped
 * @param {(directory: string, why: string) => void} options.onSkipped a plugin that `installAll` could not install
 */
export async function createPluginHost({ grant, onNotice, onStopped, onSkipped }) {
  const bus = await createBus({
    core: new URL('core.js', import.meta.url),
    app: { security: { pattern: { use: 'isolation', options: { dir: new URL('dist-isolation/', import.meta.url) } } } },
  })
  /** Names by label. */
  const plugins = new Map()

  await bus.listen('notice', ({ payload: { label, text } }) => {
    if (plugins.has(label)) onNotice(plugins.get(label), text)
  })
  bus.on('fault', ({ label, error }) => void stop(label, error.message))

  async function stop(label, why) {
    const name = plugins.get(label)
    if (!plugins.delete(label)) return
    // One that has ended by itself has nothing left to close.
    await Promise.allSettled([bus.closeFrontend(label), bus.removeCapability(label)])
    if (why) onStopped(name, why)
  }

  /** @param {URL} folder with a `/` at its end; it has a manifest.json and an index.js */
  async function install(folder) {
    const { name, permissions } = JSON.parse(await readFile(new URL('manifest.json', folder), 'utf8'))
    if (!/^[a-z][a-z0-9-]{0,39}$/.test(name) || !Array.isArray(permissions))
      throw new Error(`${folder}manifest.json: a name (a-z, 0-9, "-") and a list of permissions are needed`)
    const label = `plugin-${name}`
    if (plugins.has(label)) throw new Error(`There is a plugin ${name} already`)
    await bus.addCapability({ identifier: label, windows: [label], permissions: grant(name, permissions) })
    plugins.set(label, name)
    try {
      // Third-party code runs in its own process. For your own plugins, `sandbox: 'permission'` starts faster and takes less memory.
      await bus.open(label, new URL('index.js', folder), { sandbox: 'process', supervision: { restart: 'temporary' } })
    } catch (error) {
      await stop(label)
      throw error
    }
  }

  /** Installs each plugin of a directory. One with a bad manifest or grant is skipped. @param {URL} folder with a `/` at its end */
  async function installAll(folder) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue
      const plugin = new URL(`${encodeURIComponent(entry.name)}/`, folder)
      await install(plugin).catch(error => onSkipped(entry.name, error.message))
    }
  }

  /** Calls what a plugin exposes. What it answers is its own word, as far as the hook lets it pass. `timeout` in ms. */
  async function call(name, command, args, timeout = 5000) {
    const label = `plugin-${name}`
    if (!plugins.has(label)) throw new Error(`There is no plugin ${name}`)
    try {
      return await bus.call(label, command, args, { timeout })
    } catch (error) {
      if (isBusError(error, 'Timeout')) await stop(label, 'does not answer')
      throw error
    }
  }

  return { install, installAll, call, remove: name => stop(`plugin-${name}`), close: () => bus.close() }
}
