// Tauri's globals in a frontend, for the npm package @tauri-apps/api.
import { delimiter, sep } from 'node:path'
import { runInThisContext } from 'node:vm'
import type { Client } from '../client/client.js'
import { findCurrentClient } from '../client/current-client.js'
import type { InitScript } from '@sallyport/protocol/internal/contract'
import { install, isOurs, type TauriInstallation, type TauriRuntime } from '../tauri/install.js'

/** A registered symbol: another copy of this package finds the scripts, too. */
const SCRIPTS: unique symbol = Symbol.for('@sallyport/frontend:scripts')

/** @param scripts - of core's plugins, which run in this thread once Tauri's globals are installed */
export function setInitScripts(scripts: readonly InitScript[]): void {
  Object.defineProperty(globalThis, SCRIPTS, { value: scripts, configurable: true })
}

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

/** Installs the globals in this thread and runs the scripts of core's plugins, unless it has no client, or has them already. */
export function installInFrontend(): void {
  const client = findCurrentClient()
  if (!client || isOurs(Reflect.get(globalThis, '__TAURI_INTERNALS__'))) return
  installTauri(client)
  const { [SCRIPTS]: scripts = [] } = globalThis as { [SCRIPTS]?: readonly InitScript[] }
  for (const { name, source } of scripts) runInThisContext(source, { filename: `plugin:${name}` })
}
