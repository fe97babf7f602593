// `import '@sallyport/frontend/tauri'` makes the npm package @tauri-apps/api work in a frontend's module: it installs Tauri's globals
// on the window, and runs the scripts of core's plugins. In any other thread the import only provides `installTauri`.
import { delimiter, sep } from 'node:path'
import { runInThisContext } from 'node:vm'
import type { Client } from './client/client.js'
import { findCurrentClient } from './client/current-client.js'
import { getInitScripts } from './client/init-scripts.js'
import { install, isOurs, type TauriInstallation, type TauriRuntime } from './tauri/install.js'

export type { TauriInstallation } from './tauri/install.js'

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
 * Installs the globals that `@tauri-apps/api` needs, so that its calls go over `client`.
 *
 * @param target - the window, for example of a jsdom. A target without a `window` gets itself as its `window`
 * @throws {BusError} `InvalidParams` if Tauri's globals exist already and cannot be replaced, or `client` is not a client
 *
 * @example
 * using tauri = installTauri(await bus.connect('main'))
 * await invoke('greet', { name: 'World' }) // of @tauri-apps/api/core
 */
export function installTauri(client: Client, target: object = globalThis): TauriInstallation {
  return install(client, target, runtime)
}

const client = findCurrentClient()
const isInstalled = isOurs(Reflect.get(globalThis, '__TAURI_INTERNALS__'))
if (client && !isInstalled) {
  installTauri(client)
  for (const { name, source } of getInitScripts()) runInThisContext(source, { filename: `plugin:${name}` })
}
