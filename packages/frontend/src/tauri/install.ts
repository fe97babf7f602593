// Puts Tauri's globals on a window, and takes them away again: everything is as it was before.
import { BusError } from '@sallyport/protocol'
import type { Client } from '../client.js'
import { createEventInternals, createInternals, isOurs } from './internals.js'
import { TauriIpc } from './ipc.js'

export interface TauriInstallation {
  /** Takes the globals away, with the listeners and channels that were opened through them. The client stays open. */
  uninstall(): void
  [Symbol.dispose](): void
}

/**
 * Installs what `@tauri-apps/api` needs, so that its calls go over `client`.
 *
 * @param target the window: `globalThis` unless given, or that of a jsdom. One that has no `window` gets itself as such
 * @throws BusError `InvalidParams` where Tauri's globals are there already and can't be replaced, and for what is no client
 *
 * @example
 * using tauri = installTauri(await bus.connect('main'))
 * await invoke('greet', { name: 'World' }) // of @tauri-apps/api/core
 */
export function installTauri(client: Client, target: object = globalThis): TauriInstallation {
  checkClient(client)
  if (isOurs(Reflect.get(target, '__TAURI_INTERNALS__'))) {
    throw new BusError(
      'InvalidParams',
      'Tauri’s globals are installed there already: call uninstall() on what the first installTauri gave',
    )
  }
  const ipc = new TauriIpc(client)
  const globals: [object, string, unknown][] = [
    [target, '__TAURI_INTERNALS__', createInternals(client, ipc)],
    [target, '__TAURI_EVENT_PLUGIN_INTERNALS__', createEventInternals(ipc)],
    [target, 'isTauri', true],
  ]
  const thread: object = globalThis
  if (!('window' in target)) globals.push([target, 'window', target])
  // With a jsdom's window beside Node's own globals, the package looks for this one among those.
  else if (target !== thread && Reflect.get(thread, 'window') === target) globals.push([thread, 'isTauri', true])
  for (const [home, name] of globals) checkReplaceable(home, name)
  const restore = globals.map(([home, name, value]) => put(home, name, value))
  const uninstall = (): void => {
    for (const one of restore.splice(0).reverse()) one()
    ipc.end()
  }
  return { uninstall, [Symbol.dispose]: uninstall }
}

/** Of whichever copy of this package. A promise of one, without its `await`, is the usual mistake. */
function checkClient(client: unknown): void {
  if (typeof (client as Client | undefined)?.subscribe === 'function') return
  const given = Object.prototype.toString.call(client).slice('[object '.length, -1)
  throw new BusError(
    'InvalidParams',
    `installTauri: the client must be what \`await bus.connect(label)\` gives: got ${given}`,
  )
}

function checkReplaceable(home: object, name: string): void {
  if (Object.getOwnPropertyDescriptor(home, name)?.configurable !== false) return
  throw new BusError('InvalidParams', `${name} is there already and can’t be replaced: is this a webview of Tauri’s?`)
}

/** Gives what puts back what was there, unless somebody has replaced it since. */
function put(home: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(home, name)
  Object.defineProperty(home, name, { value, configurable: true, enumerable: false, writable: false })
  return () => {
    if (Object.getOwnPropertyDescriptor(home, name)?.value !== value) return
    if (before) Object.defineProperty(home, name, before)
    else Reflect.deleteProperty(home, name)
  }
}
