// Puts Tauri's globals on a window, and takes them away again: everything is as it was before.
import { delimiter, sep } from 'node:path'
import { BusError } from '@sallyport/protocol'
import type { Client } from '../client/client.js'
import type { IpcOptions } from './convert.js'
import { type IpcMessage, TauriIpc } from './ipc.js'

// The objects that @tauri-apps/api reads: `__TAURI_INTERNALS__` and `__TAURI_EVENT_PLUGIN_INTERNALS__`, with the members that
// Tauri's scripts give them (crates/tauri/scripts). As there, none can be replaced.

/** On `__TAURI_INTERNALS__` of ours, of whichever copy of this package. */
const MARK: unique symbol = Symbol.for('@sallyport/frontend:tauri')

function createInternals(client: Client, ipc: TauriIpc): object {
  const { label } = client
  const send = (message: IpcMessage): void => ipc.post(message)
  return withMembers({
    [MARK]: true,
    invoke: (command: string, payload?: unknown, options?: IpcOptions) => ipc.invoke(command, payload, options),
    transformCallback: (callback?: (data: unknown) => unknown, once?: boolean) => ipc.callbacks.add(callback, once),
    unregisterCallback: (id: number) => ipc.unregister(id),
    runCallback: (id: number, data: unknown) => void ipc.callbacks.run(id, data),
    callbacks: ipc.callbacks.byId,
    convertFileSrc,
    ipc: send,
    postMessage: send,
    metadata: { currentWindow: { label }, currentWebview: { windowLabel: label, label } },
    plugins: withMembers({ path: { sep, delimiter } }),
    __TAURI_PATTERN__: Object.freeze(
      client.isolated ? { pattern: 'isolation', side: 'original' } : { pattern: 'brownfield' },
    ),
  })
}

function createEventInternals(ipc: TauriIpc): object {
  return withMembers({
    unregisterListener: (event: string, eventId: number) => ipc.stopListening({ event, eventId }),
  })
}

export const isOurs = (internals: unknown): boolean =>
  typeof internals === 'object' && internals !== null && MARK in internals

/** What `Object.defineProperty(object, name, { value })` makes, as in Tauri. Others may be added: plugins do. */
function withMembers(members: object): object {
  const object = {}
  for (const name of Reflect.ownKeys(members)) {
    Object.defineProperty(object, name, { value: Reflect.get(members, name) })
  }
  return object
}

function convertFileSrc(path: string, protocol = 'asset'): string {
  const encoded = encodeURIComponent(path)
  return process.platform === 'win32' ? `http://${protocol}.localhost/${encoded}` : `${protocol}://localhost/${encoded}`
}

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
