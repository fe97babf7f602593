// The client of this thread, for the module-level functions. It is kept under a registered symbol, so that a module finds
// it even where an installation holds this package twice.
import { BusError, type EventTarget, type Unlisten } from '@sallyport/protocol'
import type { CommandArguments } from './arguments.js'
import type { Client } from './client.js'
import type { EventHandler } from './event-handler.js'
import type { ExposedFunctions } from './exposed-functions.js'
import type { EmitOptions, InvokeOptions, ListenOptions } from './options.js'
import type { Stream } from './stream.js'

const KEY = Symbol.for('@sallyport/frontend:client')

export function setCurrentClient(client: Client): void {
  Object.defineProperty(globalThis, KEY, { value: client, configurable: true })
}

export const findCurrentClient = (): Client | undefined => (globalThis as { [KEY]?: Client })[KEY]

/** @throws BusError `Disconnected` in a thread that is no frontend. */
export function currentClient(): Client {
  const client = findCurrentClient()
  if (client) return client
  throw new BusError(
    'Disconnected',
    'This thread is no frontend: @sallyport/frontend works in a module that createBus({ frontends }) or bus.open started. ' +
      'In the host, call `await bus.connect(label)` and use the client that it gives',
    { data: { delivered: 'no' } },
  )
}

// The functions that a frontend's module imports: those of this thread's client. It is looked for with each call, so that
// a module may be loaded, and make its typed client, before the thread has one.

/** This frontend's label. */
export const getLabel = (): string => currentClient().label

/** What the host gave this frontend as its `data`, a copy; `undefined` if nothing. Its type is the host's word. */
export const getData = <T = unknown>(): T => currentClient().data as T

/**
 * Calls a command of core.
 *
 * @example
 * const greeting = await invoke<string>('greet', { name: 'World' }, { timeout: 1000 })
 */
export async function invoke<T = unknown>(
  command: string,
  args?: CommandArguments,
  options?: InvokeOptions,
): Promise<T> {
  return currentClient().invoke<T>(command, args, options)
}

/**
 * Calls a command whose handler gives an async iterable; leaving the loop ends the handler.
 *
 * @example
 * for await (const chunk of stream<Uint8Array>('download', { url })) …
 */
export function stream<T = unknown>(command: string, args?: CommandArguments, options?: InvokeOptions): Stream<T> {
  return currentClient().stream<T>(command, args, options)
}

/**
 * Lets core and the host call these functions; what takes them away again is returned.
 *
 * @throws BusError `InvalidParams` for a name that is exposed already, and for what is no function
 * @example
 * expose({ transform: ({ src }: { src: string }) => src.toUpperCase() })
 */
export function expose(functions: ExposedFunctions): () => void {
  return currentClient().expose(functions)
}

/** Sends an event to every listener, in core, the host and all frontends, this one too. */
export function emit(event: string, payload?: unknown, options?: EmitOptions): Promise<void> {
  return sending(client => client.emit(event, payload, options))
}

/** Sends an event to the listeners that match `target`: a label, or one of Tauri's targets. */
export function emitTo(
  target: string | EventTarget,
  event: string,
  payload?: unknown,
  options?: EmitOptions,
): Promise<void> {
  return sending(client => client.emitTo(target, event, payload, options))
}

/** Listens to an event; resolves to what takes the listener away. */
export async function listen<T = unknown>(
  event: string,
  handler: EventHandler<T>,
  options?: ListenOptions,
): Promise<Unlisten> {
  return currentClient().listen(event, handler, options)
}

/** Listens to an event once. */
export async function once<T = unknown>(
  event: string,
  handler: EventHandler<T>,
  options?: ListenOptions,
): Promise<Unlisten> {
  return currentClient().once(event, handler, options)
}

/** Of the client's own promise, which nobody has to await. */
function sending(send: (client: Client) => Promise<void>): Promise<void> {
  try {
    return send(currentClient())
  } catch (error) {
    return Promise.reject(error as Error)
  }
}
