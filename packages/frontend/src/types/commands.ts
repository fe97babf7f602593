// Reads the commands of a core module from its type: their names, what a caller gives and what it gets. A definition is
// known by its shape: a frontend has the type of its core and nothing of the package that made it.
import type { CodecName } from '@sallyport/protocol'
import type { CommandArguments } from '../client/arguments.js'
import type { InvokeOptions } from '../client/options.js'
import type { Serialized, CodecFor } from './serialized.js'

/** What `defineCore` gives, as far as types are read from it: `typeof import('./core.js').default`. */
export interface CoreLike {
  readonly commands?: object
  readonly plugins?: readonly PluginLike[]
  readonly setup?: unknown
}

interface PluginLike {
  readonly name: string
  readonly commands?: object
}

/** The names of all commands, as they are called: `greet`, `plugin:fs|read_text_file`. */
export type AnyCommandName<Core> = (keyof CommandsOf<Core> & string) | PluginCommandName<PluginOf<Core>>

/** The commands that `invoke` calls. */
export type CommandName<Core> = NameWhere<Core, AnyCommandName<Core>, 'value'>

/** The commands that `stream` calls: their handlers give an async iterable. */
export type StreamName<Core> = NameWhere<Core, AnyCommandName<Core>, 'stream'>

/** Arguments and options of a call; the arguments may be left out where none is required. */
export type CallParameters<Core, Name, Codec extends CodecName = 'json', Options = InvokeOptions> = ParametersFor<
  GivenTo<HandlerOf<Core, Name>, Codec>,
  Options
>

/** What `invoke` resolves to. */
export type CommandResult<Core, Name, Codec extends CodecName = 'json'> = Serialized<
  Awaited<ReturnOf<HandlerOf<Core, Name>>>,
  Codec
>

/** What each turn of a stream gives. */
export type StreamItem<Core, Name, Codec extends CodecName = 'json'> =
  Awaited<ReturnOf<HandlerOf<Core, Name>>> extends AsyncIterable<infer T> ? Serialized<T, Codec> : unknown

/** Of an owner without any: no names. (`infer` finds `never` then, whose keys are all names.) */
type CommandsOf<Owner> = 'commands' extends keyof Owner
  ? Owner extends { readonly commands?: infer Commands }
    ? NonNullable<Commands>
    : never
  : Record<never, never>
type PluginOf<Core> = Core extends { readonly plugins?: readonly (infer P)[] } ? P : never
type PluginCommandName<P> = P extends { readonly name: infer N extends string }
  ? `plugin:${N}|${keyof CommandsOf<P> & string}`
  : never

/** Handlers whose result nobody declared may be either. */
type Kind<R> = unknown extends R
  ? 'value' | 'stream'
  : [R] extends [never]
    ? 'value'
    : [R] extends [AsyncIterable<unknown>]
      ? 'stream'
      : 'value'

type NameWhere<Core, Name, Wanted> = Name extends string
  ? Wanted extends Kind<Awaited<ReturnOf<HandlerOf<Core, Name>>>>
    ? Name
    : never
  : never

/** The function of a command, bare or made by `command()`. */
type HandlerOf<Core, Name> = FunctionOf<
  Name extends keyof CommandsOf<Core>
    ? CommandsOf<Core>[Name]
    : Name extends `plugin:${infer P}|${infer Command}`
      ? PluginCommand<PluginOf<Core>, P, Command>
      : never
>
type PluginCommand<P, Name, Command> = P extends { readonly name: infer N }
  ? Name extends N
    ? Command extends keyof CommandsOf<P>
      ? CommandsOf<P>[Command]
      : never
    : never
  : never
type FunctionOf<H> = H extends { readonly kind: 'command'; readonly handler: infer F } ? NonNullable<F> : H

type ReturnOf<F> = F extends (...args: never) => infer R ? R : unknown

type ParametersFor<Given, Options> = [Given] extends [never]
  ? [args?: CommandArguments, options?: Options]
  : undefined extends Given
    ? [args?: Given, options?: Options]
    : Partial<Given> extends Given
      ? [args?: Given, options?: Options]
      : [args: Given, options?: Options]

/** Named arguments or bytes; `never` where the handler takes anything. */
type GivenTo<F, Codec extends CodecName> = F extends (...args: infer Parameters) => unknown
  ? Parameters extends readonly []
    ? Record<string, never> | undefined
    : Given<Parameters[0], Codec>
  : never
type Given<A, Codec extends CodecName> = unknown extends A
  ? never
  : A extends Bytes
    ? Bytes
    : A extends object
      ? { [K in keyof A]: Argument<A[K], Codec, CodecFor<A, Codec>> }
      : undefined

type Bytes = Uint8Array | ArrayBuffer

/**
 * One named argument. A handler's channel is its caller's channel, for what arrives of its messages. What can't arrive as
 * the handler wants it is `never`: a Date is a text in JSON. (Members of arguments are not looked at.)
 */
type Argument<T, Codec extends CodecName, Lane extends CodecName> = unknown extends T
  ? T
  : T extends Bytes
    ? Bytes
    : T extends { send(message: infer Message, ...rest: never): Promise<void>; end(): void }
      ? ChannelFor<unknown extends Message ? never : Serialized<Message, Codec>>
      : T extends Lost[Lane]
        ? never
        : T

interface Lost {
  json: Lost['msgpack'] | Date | bigint
  msgpack: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | symbol | ((...args: never) => unknown)
}

/** A channel that takes such messages: this package's, or that of `@tauri-apps/api`. */
export interface ChannelFor<Message> {
  readonly id: number
  readonly onmessage: ((message: Message) => void) | undefined
  toJSON(): string
}
