// A client with the types of a core module's commands. At run time it is the client itself, or this thread's functions.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { BusEvent, EventTarget, TransferOptions, Unlisten } from '@sallyport/protocol/internal/message'
import { Channel, type Stream } from '../client/channel.js'
import type { Client as UntypedClient } from '../client/client.js'
import { emit, emitTo, invoke, listen, once, stream } from '../client/current-client.js'
import type { EventHandler } from '../client/listeners.js'
import type { ListenOptions } from '../client/arguments.js'
import type { CallParameters, CommandName, CommandResult, CoreLike, StreamItem, StreamName } from './commands.js'
import type { Serialized } from './serialized.js'

/** The types of a client in addition to those of its core. */
export interface ClientTypes {
  /** The codec of the client. @default 'json' */
  codec?: CodecName
  /** Payloads by event name: `{ progress: { percent: number } }`. Without it, any event can have any payload. */
  events?: object
}

/** The types that a core was made with, by `defineCore<Types>()`. */
export type ClientTypesOf<Core> = '~types' extends keyof Core
  ? NonNullable<Core['~types']> extends infer Types extends ClientTypes
    ? Types
    : ClientTypes
  : ClientTypes

/** Sends events and listens to them, in a frontend and in the host. */
export interface EventMethods<Types extends ClientTypes = ClientTypes> {
  /**
   * Sends an event to every listener: in core, in the host, and in all frontends. Resolves once the event was sent and there is room for more.
   *
   * @throws {BusError} `Overloaded` if too many messages wait for room: the event is not sent then. `Disconnected`. These two
   * don't have to be caught: they don't cause an unhandled rejection.
   */
  emit(
    event: Types extends { events: object } ? never : string,
    payload?: unknown,
    options?: TransferOptions,
  ): Promise<void>
  /** Sends an event whose payload has the type that `Types` declares. */
  emit<Name extends keyof Types['events'] & string>(
    event: Name,
    ...payload: EmitParameters<Types['events'][Name]>
  ): Promise<void>
  /** Sends an event to the listeners that match `target`: a label, or one of Tauri's targets. */
  emitTo(
    target: string | EventTarget,
    event: Types extends { events: object } ? never : string,
    payload?: unknown,
    options?: TransferOptions,
  ): Promise<void>
  /** Sends an event whose payload has the type that `Types` declares to the listeners that match `target`. */
  emitTo<Name extends keyof Types['events'] & string>(
    target: string | EventTarget,
    event: Name,
    ...payload: EmitParameters<Types['events'][Name]>
  ): Promise<void>
  /**
   * Listens to the application's events: those that core, frontends and the host emit. Once core knows the listener, resolves with a function
   * that removes it. In the host, a listener added right after `createBus` or `bus.open` misses no event.
   *
   * @throws {BusError} InvalidParams, synchronously, for an invalid name, handler or option; in the host also for a name of the bus's own
   * events, to which `bus.on` listens. The promise rejects with `Disconnected`, which doesn't have to be caught, or with another reason
   */
  listen<T = unknown>(
    event: Types extends { events: object } ? never : string,
    handler: EventHandler<T>,
    options?: ListenOptions,
  ): Promise<Unlisten>
  /** Listens to an event whose payload has the type that `Types` declares. */
  listen<Name extends keyof Types['events'] & string>(
    event: Name,
    handler: EventHandler<Serialized<Types['events'][Name], Types['codec']>>,
    options?: ListenOptions,
  ): Promise<Unlisten>
  /**
   * Waits for an event of the application. The promise does not have to be awaited.
   *
   * @throws {BusError} InvalidParams, synchronously, as `listen`. The promise rejects with Timeout, Cancelled, or Disconnected when the
   * client or the bus closes
   * @example const { payload } = await bus.once<number>('done', { timeout: 5000 })
   */
  once<T = unknown>(
    event: Types extends { events: object } ? never : string,
    options?: ListenOptions,
  ): Promise<BusEvent<T>>
  /** Waits for an event whose payload has the type that `Types` declares. */
  once<Name extends keyof Types['events'] & string>(
    event: Name,
    options?: ListenOptions,
  ): Promise<BusEvent<Serialized<Types['events'][Name], Types['codec']>>>
  /** Listens to an event once. Resolves, as `listen` does, with a function that removes the listener. */
  once<T = unknown>(
    event: Types extends { events: object } ? never : string,
    handler: EventHandler<T>,
    options?: ListenOptions,
  ): Promise<Unlisten>
  /** Listens once to an event whose payload has the type that `Types` declares. */
  once<Name extends keyof Types['events'] & string>(
    event: Name,
    handler: EventHandler<Serialized<Types['events'][Name], Types['codec']>>,
    options?: ListenOptions,
  ): Promise<Unlisten>
}

/** The client of a frontend, or of a connection of the host. Each `TypedConnection` is one: by its type, no client is of a class. */
export type Client = Pick<UntypedClient, keyof UntypedClient>

/** A client that is typed by a core. Without types of events, the caller chooses the type of a payload. */
export type TypedClient<Core extends CoreLike, Types extends ClientTypes = ClientTypesOf<Core>> = {
  readonly Channel: typeof Channel
  // The overloads that nobody can call make this a `Client`, whose `invoke` and `stream` take any name.
  invoke(command: never): never
  /** Calls a command and returns its result. @throws {BusError} with any `reason` */
  invoke<Name extends `${CommandName<Core>}`>(
    command: Name,
    ...call: CallParameters<Core, Name, Types['codec']>
  ): Promise<CommandResult<Core, Name, Types['codec']>>
  stream(command: never): never
  /** Calls a command whose handler returns an async iterable. Leaving the loop ends the handler. */
  stream<Name extends `${StreamName<Core>}`>(
    command: Name,
    ...call: CallParameters<Core, Name, Types['codec']>
  ): Stream<StreamItem<Core, Name, Types['codec']>>
} & EventMethods<Types>

/** The result of `createClient(client)`: its functions with the types of a core, and the client's other members. */
export type TypedConnection<Core extends CoreLike, Types extends ClientTypes = ClientTypesOf<Core>> = TypedClient<
  Core,
  Types
> &
  Omit<Client, keyof TypedClient<Core>>

/**
 * Adds the types of a core to this thread's client. The core itself is not loaded.
 *
 * @example
 * const api = createClient<typeof import('./core.js').default>()
 * const greeting = await api.invoke('greet', { name: 'World' }) // string
 */
export function createClient<Core extends CoreLike, Types extends ClientTypes = ClientTypesOf<Core>>(): TypedClient<
  Core,
  Types
>
/**
 * Adds the types of a core to a client.
 *
 * @example const tests = createClient<typeof core, { events: { news: string } }>(await bus.connect('tests'))
 */
export function createClient<Core extends CoreLike, Types extends ClientTypes = ClientTypesOf<Core>>(
  client: Client,
): TypedConnection<Core, Types>
export function createClient(client: unknown = thisThreadClient): unknown {
  return client
}

const thisThreadClient = { Channel, invoke, stream, emit, emitTo, listen, once }

/** The payload and options of `emit`. A payload that can be undefined is optional. */
export type EmitParameters<Payload> = undefined extends Payload
  ? [payload?: Payload, options?: TransferOptions]
  : [payload: Payload, options?: TransferOptions]
