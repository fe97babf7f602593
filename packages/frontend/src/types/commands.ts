// Infers the commands of a core module from its type: their names, parameters and results. A definition is recognized by its shape,
// because a frontend does not depend on the package that defines it.
// Declaration files name a conditional type, but expand an alias of one: CallParameters and CommandResult are conditional for that.
import type { InvokeOptions } from '../client/arguments.js'
import type { Serialized, Unserializable } from './serialized.js'

/** The members of `defineCore`'s result that types are inferred from: `typeof import('./core.js').default`. */
export interface CoreLike {
  /** Commands by name. */
  readonly commands?: object
  /** Plugins with their commands. */
  readonly plugins?: readonly { readonly name: string; readonly commands?: object }[]
  /** Distinguishes a definition from other objects. */
  readonly setup?: unknown
  /** The types of the core's events and frontends. Exists as a type only. */
  readonly '~types'?: object
}

/** The full names of all commands: `greet`, `plugin:fs|read_text_file`. */
export type AnyCommandName<Core> = (keyof CommandsOf<Core> & string) | PluginCommandName<PluginOf<Core>>

/** The names of the commands that `invoke` calls, or of the functions of `Exposed`. */
export type CommandName<Core> = NameWhere<Core, AnyCommandName<Core>, 'value'>

/** The names of the commands that `stream` calls: their handlers return an async iterable. */
export type StreamName<Core> = NameWhere<Core, AnyCommandName<Core>, 'stream'>

/** Arguments and options of a call. The arguments are optional if none of them is required. */
export type CallParameters<Core, Name, Codec = 'json', Options = InvokeOptions> = [
  ArgumentsOf<HandlerOf<Core, Name>, Codec>,
] extends [never]
  ? [args?: object, options?: Options]
  : ParametersFor<ArgumentsOf<HandlerOf<Core, Name>, Codec>, Options>

/** The type that `invoke` resolves with. */
export type CommandResult<Core, Name, Codec = 'json'> =
  Awaited<ReturnOf<HandlerOf<Core, Name>>> extends infer Result ? Serialized<Result, Codec> : never

/** The type of the values that `stream` yields for a command. */
export type StreamItem<Core, Name, Codec = 'json'> =
  Awaited<ReturnOf<HandlerOf<Core, Name>>> extends AsyncIterable<infer T> ? Serialized<T, Codec> : unknown

/** The commands of a core or plugin, or exposed functions. Without the check of `keyof`, `infer` would find `never`, whose keys are all names. */
type CommandsOf<Owner> = 'commands' extends keyof Owner
  ? NonNullable<Owner['commands']>
  : 'functions' extends keyof Owner
    ? NonNullable<Owner['functions']>
    : Record<never, never>
type PluginOf<Core> = Core extends { readonly plugins?: readonly (infer P)[] } ? P : never
type PluginCommandName<P> = P extends { readonly name: infer N extends string }
  ? `plugin:${N}|${keyof CommandsOf<P> & string}`
  : never

/** A handler without a declared result can be called either way. */
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

/** The function of a command, which is bare or wrapped by `command()`. */
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

// Without a handler `unknown`: `never` would make an `App` without types differ from one whose types have no frontends.
type ReturnOf<F> = [F] extends [never] ? unknown : F extends (...args: never) => infer R ? R : unknown

type ParametersFor<Args, Options> = undefined extends Args
  ? [args?: Args, options?: Options]
  : Record<never, never> extends Args
    ? [args?: Args, options?: Options]
    : [args: Args, options?: Options]

/** Named arguments or bytes; `never` if the handler takes anything. */
type ArgumentsOf<F, Codec> = F extends (...args: infer Parameters) => unknown
  ? Parameters extends readonly []
    ? Record<string, never> | undefined
    : NamedArguments<Parameters[0], Codec>
  : never
/**
 * True for `unknown`, and for the `Record<string, unknown>` of a handler whose arguments have no type. It has to be that very type: it is also
 * assignable to and from a type whose members are all optional, whose callers must be checked.
 */
type IsUntyped<A> = unknown extends A
  ? true
  : (<T>() => T extends Readonly<A> ? 1 : 2) extends <T>() => T extends Readonly<Record<string, unknown>> ? 1 : 2
    ? true
    : false

type NamedArguments<A, Codec> =
  IsUntyped<A> extends true
    ? never
    : A extends Bytes
      ? Bytes
      : A extends object
        ? { [K in keyof A]: Argument<A[K], Codec> }
        : undefined

type Bytes = Uint8Array | ArrayBuffer

/**
 * One named argument. The handler's channel is the caller's channel of serialized messages, and its async iterable is the caller's
 * async iterable or `ReadableStream`. A type that cannot arrive as the
 * handler expects it is `never`: a Date is a string in JSON. Members of arguments are not checked.
 */
type Argument<T, Codec> = unknown extends T
  ? T
  : T extends Bytes
    ? Bytes
    : T extends { send(message: infer Message, ...rest: never): Promise<void>; end(): void }
      ? ChannelFor<unknown extends Message ? never : Serialized<Message, Codec>>
      : T extends AsyncIterable<infer Value>
        ? AsyncIterableIterator<Value> extends T
          ? AsyncIterable<Argument<Value, Codec>>
          : never
        : T extends Lost[[Codec] extends ['msgpack'] ? 'msgpack' : 'json']
          ? never
          : T

/** Types that do not survive each codec. */
interface Lost {
  json: Lost['msgpack'] | Date | bigint
  msgpack: Unserializable | symbol | ((...args: never) => unknown)
}

/** A channel for such messages, of this package or of `@tauri-apps/api`. */
export interface ChannelFor<Message> {
  /** The number in `__CHANNEL__:<id>`. */
  readonly id: number
  /** Called with each message. */
  readonly onmessage: ((message: Message) => void) | undefined
  /** Returns `__CHANNEL__:<id>`. */
  toJSON(): string
}

/** The parameters of Tauri's `invoke` after the command's name: arguments, if the command has some, and options. */
export type TauriParameters<Core, Name> = CallParameters<
  Core,
  Name,
  'json',
  { headers: NonNullable<ConstructorParameters<typeof Headers>[0]> }
>

/** The type that Tauri's `invoke` resolves with. Tauri returns bytes as an `ArrayBuffer` if they are the whole result. */
export type TauriResult<Core, Name> =
  CommandResult<Core, Name> extends infer Result
    ? unknown extends Result
      ? Result
      : Result extends Uint8Array
        ? ArrayBuffer
        : Result
    : never

/**
 * The `invoke` of `@tauri-apps/api/core` with checked names, arguments and results of one core. The type accepts the `Channel` of
 * either package; at run time it must be that of `@tauri-apps/api`.
 *
 * @example
 * import { invoke as call } from '@tauri-apps/api/core'
 * export const invoke = call as TauriInvoke<typeof import('./core.js').default>
 *
 * // Or without changing the code, in a declaration file. Calls that match no command of the core stay unchecked:
 * declare module '@tauri-apps/api/core' {
 *   export function invoke<Name extends CommandName<Core>>(
 *     command: Name, ...call: TauriParameters<Core, Name>
 *   ): Promise<TauriResult<Core, Name>>
 * }
 */
export type TauriInvoke<Core extends CoreLike> = <Name extends `${CommandName<Core>}`>(
  command: Name,
  ...call: TauriParameters<Core, Name>
) => Promise<TauriResult<Core, Name>>
