// The objects that @tauri-apps/api reads: `__TAURI_INTERNALS__` and `__TAURI_EVENT_PLUGIN_INTERNALS__`, with the members that
// Tauri's scripts give them (crates/tauri/scripts). As there, none can be replaced.
import { delimiter, sep } from 'node:path'
import type { Client } from '../client.js'
import type { IpcOptions } from './call-options.js'
import type { IpcMessage, TauriIpc } from './ipc.js'

/** On `__TAURI_INTERNALS__` of ours, of whichever copy of this package. */
const MARK: unique symbol = Symbol.for('@sallyport/frontend:tauri')

export function createInternals(client: Client, ipc: TauriIpc): object {
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

export function createEventInternals(ipc: TauriIpc): object {
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
