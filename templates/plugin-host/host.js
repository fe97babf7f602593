// Installs, calls and removes plugins. Each is a frontend in a sandbox, behind the hook of dist-isolation/, with its own permissions.
// A plugin that throws outside of a call, or does not answer, is removed. The others continue.
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
    isolation: { dir: new URL('dist-isolation/', import.meta.url) },
  })
  /** Names of installed plugins by label. */
  const plugins = new Map()

  await bus.listen('notice', ({ payload: { label, text } }) => {
    if (plugins.has(label)) onNotice(plugins.get(label), text)
  })
  bus.on('fault', ({ label, error }) => void stop(label, error.message))

  async function stop(label, why) {
    const name = plugins.get(label)
    if (!plugins.delete(label)) return
    // A plugin that has ended by itself has nothing to close.
    await bus.closeFrontend(label).catch(() => {})
    if (why) onStopped(name, why)
  }

  /** @param {URL} directory ends with `/`, and contains a manifest.json and an index.js */
  async function install(directory) {
    const { name, permissions } = JSON.parse(await readFile(new URL('manifest.json', directory), 'utf8'))
    if (!/^[a-z][a-z0-9-]{0,39}$/.test(name) || !Array.isArray(permissions))
      throw new Error(`${directory}manifest.json: needs a name (a-z, 0-9, "-") and an array of permissions`)
    const label = `plugin-${name}`
    if (plugins.has(label)) throw new Error(`The plugin ${name} is installed already`)
    plugins.set(label, name)
    try {
      // Third-party code runs in its own process. For your own plugins, `sandbox: 'permission'` starts faster and takes less memory.
      await bus.open(label, new URL('index.js', directory), {
        sandbox: 'process',
        allow: grant(name, permissions),
        supervision: { restart: 'temporary' },
      })
    } catch (error) {
      await stop(label)
      throw error
    }
  }

  /** Installs each plugin of a directory, and skips those with a bad manifest or grant. @param {URL} parent ends with `/` */
  async function installAll(parent) {
    for (const entry of await readdir(parent, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue
      const plugin = new URL(`${encodeURIComponent(entry.name)}/`, parent)
      await install(plugin).catch(error => onSkipped(entry.name, error.message))
    }
  }

  /** Calls a function that a plugin exposes. The result is untrusted, apart from the checks of the hook. `timeout` is in ms. */
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
