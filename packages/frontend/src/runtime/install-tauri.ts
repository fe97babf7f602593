// Tauri's globals in a frontend, for the npm package @tauri-apps/api.
import { delimiter, sep } from 'node:path'
import type { Client } from '../types/client.js'
import { findCurrentClient } from '../client/current-client.js'
import { runInitScripts } from './init-scripts.js'
import { install, isOurs, type TauriInstallation, type TauriRuntime } from '../tauri/install.js'

const runtime: TauriRuntime = {
  path: { sep, delimiter },
  convertFileSrc(path, protocol = 'asset') {
    const encoded = encodeURIComponent(path)
    return process.platform === 'win32'
      ? `http://${protocol}.localhost/${encoded}`
      : `${protocol}://localhost/${encoded}`
  },
}

/**
 * Installs the globals that `@tauri-apps/api` needs, so that its calls go over `client`. In the host, the scripts of core's plugins run then.
 *
 * @param target - the window, for example of a jsdom. A target without a `window` gets itself as its `window`
 * @throws {BusError} `InvalidParams` if Tauri's globals exist already and cannot be replaced, or `client` is not a client
 *
 * @example
 * using tauri = installTauri(await bus.connect('main'))
 * await invoke('greet', { name: 'World' }) // of @tauri-apps/api/core
 */
export function installTauri(client: Client, target: object = globalThis): TauriInstallation {
  const installation = install(client as Parameters<typeof install>[0], target, runtime)
  try {
    const restore = runInitScripts(client, Reflect.get(target, 'window'))
    const uninstall = (): void => {
      restore()
      installation.uninstall()
    }
    return { uninstall, [Symbol.dispose]: uninstall }
  } catch (error) {
    installation.uninstall()
    throw error
  }
}

/** Installs the globals in this thread and runs the scripts of core's plugins, unless it has no client, or has them already. */
export function installInFrontend(): void {
  const client = findCurrentClient()
  if (!client || isOurs(Reflect.get(globalThis, '__TAURI_INTERNALS__'))) return
  installTauri(client)
  runInitScripts(globalThis, globalThis)
}
