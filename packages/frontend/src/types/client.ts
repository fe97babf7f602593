// A client that knows its core: the same functions, with the types of a core module's commands. At run time it is the
// client itself, or this thread's.
import type { CodecName, EventTarget, Unlisten } from '@sallyport/protocol'
import { Channel } from '../client/channel.js'
import type { Client } from '../client/client.js'
import { emit, emitTo, invoke, listen, once, stream } from '../client/current-client.js'
import type { EventHandler } from '../client/event-handler.js'
import type { EmitOptions, ListenOptions } from '../client/options.js'
import type { Stream } from '../client/stream.js'
import type { CallParameters, CommandName, CommandResult, CoreLike, StreamItem, StreamName } from './commands.js'
import type { Serialized } from './serialized.js'

/** What types need to know beside the core. */
export interface ClientTypes {
  /** The codec that the client was given; `json` by default. */
  codec?: CodecName
  /** Payloads by event name: `{ progress: { percent: number } }`. Without it any event may have any payload. */
  events?: object
}

type CodecOf<Types> = Types extends { codec: infer Codec extends CodecName } ? Codec : 'json'

/** The commands of a core, as a client calls them. */
export interface TypedCalls<Core extends CoreLike, Codec extends CodecName = 'json'> {
  readonly Channel: typeof Channel
  /** Calls a command and gives its result. @throws BusError of any reason: see its table */
  invoke<Name extends `${CommandName<Core>}`>(
    command: Name,
    ...call: CallParameters<Core, Name, Codec>
  ): Promise<CommandResult<Core, Name, Codec>>
  /** Calls a command whose handler gives an async iterable. Leaving the loop ends the handler. */
  stream<Name extends `${StreamName<Core>}`>(
    command: Name,
    ...call: CallParameters<Core, Name, Codec>
  ): Stream<StreamItem<Core, Name, Codec>>
}

export type TypedClient<Core extends CoreLike, Types extends ClientTypes = ClientTypes> = TypedCalls<
  Core,
  CodecOf<Types>
> &
  (Types extends { events: infer Events extends object } ? TypedEvents<Events, CodecOf<Types>> : UntypedEvents)

/** A client that was given, with all else that it has. */
export type TypedConnection<Core extends CoreLike, Types extends ClientTypes = ClientTypes> = TypedClient<Core, Types> &
  Omit<Client, keyof TypedCalls<Core> | keyof UntypedEvents>

/**
 * Types this thread's client, or the one given, by the core that it calls. Nothing of the core is loaded: it is a type.
 *
 * @example
 * const api = createClient<typeof import('./core.js').default>()
 * const greeting = await api.invoke('greet', { name: 'World' }) // string
 *
 * const tests = createClient<typeof core, { events: { news: string } }>(await bus.connect('tests'))
 */
export function createClient<Core extends CoreLike, Types extends ClientTypes = ClientTypes>(): TypedClient<Core, Types>
export function createClient<Core extends CoreLike, Types extends ClientTypes = ClientTypes>(
  client: Client,
): TypedConnection<Core, Types>
export function createClient(client: unknown = thisThreadClient): unknown {
  return client
}

const thisThreadClient = { Channel, invoke, stream, emit, emitTo, listen, once }

// Events typed by a map of their payloads: `{ progress: { percent: number } }`.

/** A payload that may be undefined may be left out. */
type Emitted<Payload> = undefined extends Payload
  ? [payload?: Payload, options?: EmitOptions]
  : [payload: Payload, options?: EmitOptions]

/** The event functions of a client for which the map names every event. */
export interface TypedEvents<Events, Codec extends CodecName = 'json'> {
  emit<Name extends keyof Events & string>(event: Name, ...payload: Emitted<Events[Name]>): Promise<void>
  emitTo<Name extends keyof Events & string>(
    target: string | EventTarget,
    event: Name,
    ...payload: Emitted<Events[Name]>
  ): Promise<void>
  listen<Name extends keyof Events & string>(
    event: Name,
    handler: EventHandler<Serialized<Events[Name], Codec>>,
    options?: ListenOptions,
  ): Promise<Unlisten>
  once<Name extends keyof Events & string>(
    event: Name,
    handler: EventHandler<Serialized<Events[Name], Codec>>,
    options?: ListenOptions,
  ): Promise<Unlisten>
}

/** Without a map: any event, with the payload that the caller says. */
export type UntypedEvents = Pick<Client, 'emit' | 'emitTo' | 'listen' | 'once'>
