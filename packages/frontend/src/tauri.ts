// `import '@sallyport/frontend/tauri'` makes the npm package @tauri-apps/api work in a frontend's module: it installs Tauri's globals
// on the window. In any other thread the import only provides `installTauri`. @tauri-apps/api reads `__TAURI_INTERNALS__` and
// `__TAURI_EVENT_PLUGIN_INTERNALS__`; their members are those of Tauri's scripts (crates/tauri/scripts), and cannot be replaced either.
import { delimiter, sep } from 'node:path'
import { BusError } from '@sallyport/protocol/internal'
import type { Client } from './client/client.js'
import { findCurrentClient } from './client/current-client.js'
import type { IpcOptions } from './tauri/convert.js'
import { type IpcMessage, TauriIpc } from './tauri/ipc.js'

/** Marks the `__TAURI_INTERNALS__` of any copy of this package. */
const MARK: unique symbol = Symbol.for('@sallyport/frontend:tauri')

function createInternals(client: Client, ipc: TauriIpc): object {
  const { label } = client
  const send = (message: IpcMessage): void => ipc.post(message)
  return createObject({
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
    plugins: createObject({ path: { sep, delimiter } }),
    __TAURI_PATTERN__: Object.freeze(
      client.isolated ? { pattern: 'isolation', side: 'original' } : { pattern: 'brownfield' },
    ),
  })
}

function createEventInternals(ipc: TauriIpc): object {
  return createObject({
    unregisterListener: (event: string, eventId: number) => ipc.stopListening({ event, eventId }),
  })
}

/** Returns true if these internals were installed by a copy of this package. */
const isOurs = (internals: unknown): boolean => typeof internals === 'object' && internals !== null && MARK in internals

/** Defines members that cannot be replaced, as in Tauri. Others can be added, which plugins do. */
function createObject(members: object): object {
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

/** Tauri's globals, as installed. */
export interface TauriInstallation {
  /** Removes the globals, and the listeners and channels that were opened through them. The client stays open. */
  uninstall(): void
  [Symbol.dispose](): void
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
  checkClient(client)
  if (isOurs(Reflect.get(target, '__TAURI_INTERNALS__'))) {
    throw new BusError(
      'InvalidParams',
      "Tauri's globals are installed already: call uninstall() on the result of the first installTauri",
    )
  }
  const ipc = new TauriIpc(client)
  const globals: [object, string, unknown][] = [
    [target, '__TAURI_INTERNALS__', createInternals(client, ipc)],
    [target, '__TAURI_EVENT_PLUGIN_INTERNALS__', createEventInternals(ipc)],
    [target, 'isTauri', true],
  ]
  const threadGlobal: object = globalThis
  if (!('window' in target)) globals.push([target, 'window', target])
  // If the `window` among Node's globals is a jsdom's, the package reads `isTauri` from Node's globals.
  else if (target !== threadGlobal && Reflect.get(threadGlobal, 'window') === target) {
    globals.push([threadGlobal, 'isTauri', true])
  }
  for (const [holder, name] of globals) checkReplaceable(holder, name)
  const restores = globals.map(([holder, name, value]) => define(holder, name, value))
  const uninstall = (): void => {
    for (const restore of restores.splice(0).reverse()) restore()
    ipc.end()
  }
  return { uninstall, [Symbol.dispose]: uninstall }
}

/** Accepts a client of any copy of this package. A promise of a client, without its `await`, is the usual mistake. */
function checkClient(client: unknown): void {
  if (typeof (client as Client | undefined)?.subscribe === 'function') return
  const kind = Object.prototype.toString.call(client).slice('[object '.length, -1)
  throw new BusError(
    'InvalidParams',
    `installTauri: the client must be the result of \`await bus.connect(label)\`: got ${kind}`,
  )
}

function checkReplaceable(holder: object, name: string): void {
  if (Object.getOwnPropertyDescriptor(holder, name)?.configurable !== false) return
  throw new BusError('InvalidParams', `${name} exists already and cannot be replaced: is this a webview of Tauri?`)
}

/** Defines a global. Returns a function that restores the previous one, unless the global has been replaced since. */
function define(holder: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(holder, name)
  Object.defineProperty(holder, name, { value, configurable: true, enumerable: false, writable: false })
  return () => {
    if (Object.getOwnPropertyDescriptor(holder, name)?.value !== value) return
    if (before) Object.defineProperty(holder, name, before)
    else Reflect.deleteProperty(holder, name)
  }
}

const client = findCurrentClient()
const isInstalled = isOurs(Reflect.get(globalThis, '__TAURI_INTERNALS__'))

/** Removes this frontend's globals; `undefined` if this thread is not a frontend, which gets no globals. */
export const installed: TauriInstallation | undefined = client && !isInstalled ? installTauri(client) : undefined
