// A client with the types of a core module's commands. At run time it is the client itself, or this thread's functions.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { BusEvent, EventTarget, TransferOptions, Unlisten } from '@sallyport/protocol/internal/message'
import { Channel, type Stream } from '../client/channel.js'
import type { Client } from '../client/client.js'
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

/** A client that is typed by a core. Without types of events, the caller chooses the type of a payload. */
export type TypedClient<Core extends CoreLike, Types extends ClientTypes = ClientTypesOf<Core>> = {
  readonly Channel: typeof Channel
  /** Calls a command and returns its result. @throws {BusError} with any `reason` */
  invoke<Name extends `${CommandName<Core>}`>(
    command: Name,
    ...call: CallParameters<Core, Name, Types['codec']>
  ): Promise<CommandResult<Core, Name, Types['codec']>>
  /** Calls a command whose handler returns an async iterable. Leaving the loop ends the handler. */
  stream<Name extends `${StreamName<Core>}`>(
    command: Name,
    ...call: CallParameters<Core, Name, Types['codec']>
  ): Stream<StreamItem<Core, Name, Types['codec']>>
} & (Types extends { events: infer Events extends object }
  ? {
      emit<Name extends keyof Events & string>(event: Name, ...payload: EmitParameters<Events[Name]>): Promise<void>
      emitTo<Name extends keyof Events & string>(
        target: string | EventTarget,
        event: Name,
        ...payload: EmitParameters<Events[Name]>
      ): Promise<void>
      listen<Name extends keyof Events & string>(
        event: Name,
        handler: EventHandler<Serialized<Events[Name], Types['codec']>>,
        options?: ListenOptions,
      ): Promise<Unlisten>
      once<Name extends keyof Events & string>(
        event: Name,
        options?: ListenOptions,
      ): Promise<BusEvent<Serialized<Events[Name], Types['codec']>>>
      once<Name extends keyof Events & string>(
        event: Name,
        handler: EventHandler<Serialized<Events[Name], Types['codec']>>,
        options?: ListenOptions,
      ): Promise<Unlisten>
    }
  : Pick<Client, 'emit' | 'emitTo' | 'listen' | 'once'>)

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
