// Installs, calls and removes plugins. Each is a frontend in a sandbox, behind the hook of dist-isolation/, with its own permissions.
// A plugin that throws outside of a call, or does not answer, is removed. The others continue.
import { createBus, isBusError } from '@sallyport/core'
import { readFile, readdir } from 'node:fs/promises'
import type { Events } from './core.js'

export interface PluginHostOptions {
  /** Returns the permissions that a plugin gets. */
  grant(name: string, asked: readonly string[]): string[]
  onNotice(name: string, text: string): void
  onStopped(name: string, why: string): void
  /** Called for a plugin that `installAll` could not install. */
  onSkipped(directory: string, why: string): void
}

export interface PluginHost {
  /** @param directory - ends with `/`, and contains a manifest.json and an index.js */
  install(directory: URL): Promise<void>
  /** Installs each plugin of a directory, and skips those with a bad manifest or grant. @param parent - ends with `/` */
  installAll(parent: URL): Promise<void>
  /** Calls a function that a plugin exposes. The result is untrusted, apart from the checks of the hook. `timeout` is in ms. */
  call(name: string, command: string, args?: object, timeout?: number): Promise<unknown>
  remove(name: string): Promise<void>
  close(): Promise<void>
}

export async function createPluginHost({
  grant,
  onNotice,
  onStopped,
  onSkipped,
}: PluginHostOptions): Promise<PluginHost> {
  const dir = new URL('../dist-isolation/', import.meta.url)
  const bus = await createBus<{ events: Events }>({
    core: new URL('core.js', import.meta.url),
    isolation: { dir },
  })
  /** Names of installed plugins by label. */
  const plugins = new Map<string, string>()

  await bus.listen('notice', ({ payload: { label, text } }) => {
    const name = plugins.get(label)
    if (name !== undefined) onNotice(name, text)
  })
  bus.on('fault', ({ label, error }) => void (label !== undefined && stop(label, error.message)))

  async function stop(label: string, why?: string): Promise<void> {
    const name = plugins.get(label)
    if (name === undefined || !plugins.delete(label)) return
    // A plugin that has ended by itself has nothing to close.
    await bus.closeFrontend(label).catch(() => {})
    if (why !== undefined) onStopped(name, why)
  }

  async function install(directory: URL): Promise<void> {
    const { name, permissions } = await readManifest(new URL('manifest.json', directory))
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

  async function installAll(parent: URL): Promise<void> {
    for (const entry of await readdir(parent, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue
      const plugin = new URL(`${encodeURIComponent(entry.name)}/`, parent)
      await install(plugin).catch((error: Error) => onSkipped(entry.name, error.message))
    }
  }

  async function call(name: string, command: string, args?: object, timeout = 5000): Promise<unknown> {
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

async function readManifest(file: URL): Promise<{ name: string; permissions: string[] }> {
  const { name, permissions } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{0,39}$/.test(name) || !Array.isArray(permissions))
    throw new Error(`${file.href}: needs a name (a-z, 0-9, "-") and an array of permissions`)
  return { name, permissions: permissions.map(String) }
}
