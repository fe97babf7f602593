// This thread's client and secrets, and the functions that a frontend's module imports.
import type { BusEvent, EventTarget, TransferOptions, Unlisten } from '@sallyport/protocol/internal/message'
import { BusError } from '@sallyport/protocol/internal/errors'
import { IS_NODE } from '@sallyport/protocol/internal/util'
import { CLIENT, type Stream } from './channel.js'
import type { Client } from './client.js'
import type { EventHandler } from './listeners.js'
import type { InvokeOptions, ListenOptions } from './arguments.js'
import { findPlaceholder, type Placeholders } from './secrets.js'

export function setCurrentClient(client: Client): void {
  Object.defineProperty(globalThis, CLIENT, { value: client, configurable: true })
}

const holder = globalThis as { [CLIENT]?: Client }

export const findCurrentClient = (): Client | undefined => holder[CLIENT]

/** @throws {BusError} `Disconnected` if this thread is not a frontend */
export function currentClient(): Client {
  const client = holder[CLIENT]
  if (client) return client
  throw new BusError('Disconnected', IS_NODE ? NO_CLIENT : NO_PAGE_CLIENT, { data: { delivered: 'no' } })
}

const NO_PAGE_CLIENT = 'This thread is not a frontend: call `await connect()` of @sallyport/web/client first'
const NO_CLIENT =
  'This thread is not a frontend: @sallyport/frontend works in a module that createBus({ frontends }) or bus.open started. ' +
  'In the host, call `await bus.connect(label)` and use the client that it returns. ' +
  'In a web page, call `await connect()` of @sallyport/web/client first'

// The functions below find the client with each call. A module can create its typed client before the thread has one.

/** Returns this frontend's label. */
export const getLabel = (): string => currentClient().label

/** Returns a copy of the `data` that the host passed to this frontend. Its type is not checked. */
export const getData = <T = unknown>(): T => currentClient().data as T

/**
 * Calls a command of core and returns its result.
 *
 * @example
 * const greeting = await invoke<string>('greet', { name: 'World' }, { timeout: 1000 })
 */
export function invoke<T = unknown>(command: string, args?: object, options?: InvokeOptions): Promise<T> {
  // As `send`, without its two functions: this is what programs call most.
  try {
    return currentClient().invoke<T>(command, args, options)
  } catch (error) {
    return Promise.reject(error)
  }
}

/**
 * Calls a command whose handler returns an async iterable. Leaving the loop ends the handler.
 *
 * @example
 * for await (const chunk of stream<Uint8Array>('download', { url })) …
 */
export function stream<T = unknown>(command: string, args?: object, options?: InvokeOptions): Stream<T> {
  return currentClient().stream<T>(command, args, options)
}

/**
 * Lets core and the host call these functions. Returns a function that removes them; its type is what `createBus` types `bus.call` by.
 * Arguments without a type are `Record<string, unknown>`.
 *
 * @throws {BusError} `InvalidParams` if a name is invalid or exposed already, or a value is not a function
 * @example
 * export default expose({ transform: ({ src }: { src: string }) => src.toUpperCase() })
 */
export const expose: Client['expose'] = functions => currentClient().expose(functions)

/** Sends an event to every listener: in core, the host and all frontends, including this one. */
export function emit(event: string, payload?: unknown, options?: TransferOptions): Promise<void> {
  return send(client => client.emit(event, payload, options))
}

/** Sends an event to the listeners that match `target`: a label, or one of Tauri's targets. */
export function emitTo(
  target: string | EventTarget,
  event: string,
  payload?: unknown,
  options?: TransferOptions,
): Promise<void> {
  return send(client => client.emitTo(target, event, payload, options))
}

/** Listens to an event. Resolves with a function that removes the listener. */
export function listen<T = unknown>(
  event: string,
  handler: EventHandler<T>,
  options?: ListenOptions,
): Promise<Unlisten> {
  return send(client => client.listen(event, handler, options))
}

/**
 * Waits for an event.
 *
 * @example const { payload } = await once<number>('done', { timeout: 5000 })
 */
export function once<T = unknown>(event: string, options?: ListenOptions): Promise<BusEvent<T>>
/** Listens to an event once. Resolves with a function that removes the listener. */
export function once<T = unknown>(event: string, handler: EventHandler<T>, options?: ListenOptions): Promise<Unlisten>
export function once<T>(
  event: string,
  handler?: EventHandler<T> | ListenOptions,
  options?: ListenOptions,
): Promise<BusEvent<T> | Unlisten> {
  return send<BusEvent<T> | Unlisten>(client => client.once(event, handler as EventHandler<T>, options))
}

/** Returns the client's own promise, which does not have to be awaited: an async function would wrap it. */
function send<T>(sendWith: (client: Client) => Promise<T>): Promise<T> {
  try {
    return sendWith(currentClient())
  } catch (error) {
    return Promise.reject(error)
  }
}

// The placeholders of a frontend's secrets, which the broker of its network replaces by their values.

/** A registered symbol: another copy of this package finds them, too. */
const SECRETS: unique symbol = Symbol.for('@sallyport/frontend:secrets')

type Holder = { [SECRETS]?: Placeholders }

export function setSecrets(placeholders: Placeholders): void {
  Object.defineProperty(globalThis, SECRETS, { value: placeholders, configurable: true })
}

/**
 * Returns the placeholder of a secret that the host has given to this frontend (`secrets` of its sandbox). In a header of a request to one of the
 * secret's hosts, the host replaces it by the value, which this frontend never has.
 *
 * @throws {BusError} `InvalidParams` if this frontend has no secret of this name
 * @example const headers = { authorization: `Bearer ${getSecret('GITHUB_TOKEN')}` }
 */
export function getSecret(name: string): string {
  return findPlaceholder((globalThis as Holder)[SECRETS] ?? {}, name)
}
