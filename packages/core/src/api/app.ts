// The app, as handlers and `setup` see it: events, state, resources, this machine's directories, and the log. The context of a call, whose
// rarely used members are created on first access, and the types of middleware.
import type {
  AnyCommandName,
  CallParameters,
  ClientTypes,
  CommandName,
  CommandResult,
  EventHandler,
  Exposed,
  InvokeOptions,
  Serialized,
  StreamItem,
  StreamName,
} from '@sallyport/frontend/internal'
import type { BusEvent, CallHeaders, EventTarget, Unlisten, WaitOptions } from '@sallyport/protocol/internal/message'
import type { Logger } from 'pino'
import type { CommandScope } from '../acl/types.js'
import type { PathResolver } from '@sallyport/paths/internal/api'
import type { Resources } from './resources.js'
import { BusError } from '@sallyport/protocol/internal/errors'

/** The arguments and options of a function with such types. */
type FunctionParameters<Types extends BusTypes, Label extends keyof Types['frontends'], Name> = CallParameters<
  ExposedBy<Types['frontends'][Label]>,
  Name,
  Types['codec'],
  Omit<InvokeOptions, 'headers'>
>

/** Calls the functions that frontends expose: of core (`app`) and of the host (`bus`). Overloads would report a wrong option elsewhere. */
export interface FrontendFunctions<Types extends BusTypes = BusTypes> {
  /**
   * Calls a function that a frontend exposes. Treat the result as untrusted, like the frontend's calls.
   *
   * @param args - named arguments, or bytes as the whole body
   * @throws {BusError} Disconnected if there is no such frontend, or it disconnects during the call; MethodNotFound, Cancelled,
   * Timeout, Overloaded; CommandFailed with what the function threw as its `data`
   * @example const src = await bus.call<string>('main', 'transform', { src }, { timeout: 1000 })
   */
  call<
    T = unknown,
    Label extends keyof Types['frontends'] & string = keyof Types['frontends'] & string,
    Name extends CommandName<ExposedBy<Types['frontends'][Label]>> = CommandName<ExposedBy<Types['frontends'][Label]>>,
  >(
    ...call: Types extends { frontends: object }
      ? [label: Label, name: Name, ...call: FunctionParameters<Types, Label, Name>]
      : [label: string, name: string, args?: object, options?: Omit<InvokeOptions, 'headers'>]
  ): Types extends { frontends: object }
    ? Promise<CommandResult<ExposedBy<Types['frontends'][Label]>, Name, Types['codec']>>
    : Promise<T>
  /**
   * Returns the values of a function whose result is a stream: of an `async function*`, for example. The function is called when the first
   * value is requested, and asked for each value: `app.stream` for one at a time, `bus.stream` about 4 MiB ahead of the loop. Leaving the loop
   * ends the generator: its `finally` runs.
   *
   * @param options.timeout - milliseconds for the whole stream, or `{ idle }` for those without a value; none by default, though the
   * function has to return its stream within `calls.timeout`
   * @throws {BusError} from the loop, as `call`; InvalidRequest if the function returns one value
   * @example for await (const chunk of bus.stream<Uint8Array>('md', 'convert', { body })) …
   */
  stream<
    T = unknown,
    Label extends keyof Types['frontends'] & string = keyof Types['frontends'] & string,
    Name extends StreamName<ExposedBy<Types['frontends'][Label]>> = StreamName<ExposedBy<Types['frontends'][Label]>>,
  >(
    ...call: Types extends { frontends: object }
      ? [label: Label, name: Name, ...call: FunctionParameters<Types, Label, Name>]
      : [label: string, name: string, args?: object, options?: Omit<InvokeOptions, 'headers'>]
  ): Types extends { frontends: object }
    ? AsyncIterableIterator<StreamItem<ExposedBy<Types['frontends'][Label]>, Name, Types['codec']>, void, undefined>
    : AsyncIterableIterator<T, void, undefined>
  /**
   * Returns an object whose members call the functions of a frontend: `bus.frontend('md').transform(args, options)` is
   * `bus.call('md', 'transform', args, options)`, and `for await` over the result of a function that returns a stream reads its values. Use
   * `call` and `stream` for functions named `then`, `toJSON`, or like a member of every object. Nothing is sent before a member is called, so
   * the frontend can open later.
   *
   * @typeParam Functions - the result of its `expose`, or an interface of functions
   * @throws {BusError} InvalidParams unless the label is a string
   * @example const { transform } = bus.frontend<typeof import('./md.js').default>('md')
   */
  frontend<Label extends keyof Types['frontends'] & string>(
    label: Label,
  ): Types extends { frontends: infer Frontends extends object }
    ? FrontendProxy<Frontends[Label & keyof Frontends], Types['codec']>
    : // Without declared frontends no label can be passed, and `any` lets an untyped one be passed for a typed one.
      // oxlint-disable-next-line typescript/no-explicit-any
      any
  /** Returns a frontend whose functions have the types of `Functions`. */
  frontend<Functions = unknown>(
    label: Types extends { frontends: object } ? ([unknown] extends [Functions] ? never : string) : string,
  ): FrontendProxy<Functions, Types['codec']>
}

/**
 * The app in core, as handlers and `setup` see it.
 *
 * @typeParam Types - types of events and of the functions of frontends, which nothing checks at run time
 */
export interface App<Types extends BusTypes = BusTypes> extends FrontendFunctions<Types> {
  /** Core's log. In a plugin's `setup` and `teardown` each line has the plugin's name as `plugin`. */
  readonly log: Logger
  /** Sends an event to every listener: in core, the host and all frontends. */
  emit(event: Types extends { events: object } ? never : string, payload?: unknown): void
  /** Sends an event whose payload has the type that `Types` declares. */
  emit<Name extends keyof Types['events'] & string>(event: Name, ...payload: SentPayload<Types['events'][Name]>): void
  /** Sends an event to the listeners that match `target`: a label, or one of Tauri's targets. */
  emitTo(
    target: string | EventTarget,
    event: Types extends { events: object } ? never : string,
    payload?: unknown,
  ): void
  /** Sends an event whose payload has the type that `Types` declares to the listeners that match `target`. */
  emitTo<Name extends keyof Types['events'] & string>(
    target: string | EventTarget,
    event: Name,
    ...payload: SentPayload<Types['events'][Name]>
  ): void
  /** Sends an event to frontends (`{ kind: 'WebviewWindow', label }`) and targets that `filter` accepts, and to core's and the host's listeners without a target. */
  emitFilter(
    event: Types extends { events: object } ? never : string,
    payload: unknown,
    filter: (target: EventTarget) => boolean,
  ): void
  /** Sends an event whose payload has the type that `Types` declares to the targets that `filter` accepts. */
  emitFilter<Name extends keyof Types['events'] & string>(
    event: Name,
    payload: Types['events'][Name],
    filter: (target: EventTarget) => boolean,
  ): void
  /**
   * Listens to an event. Returns a function that removes the listener.
   *
   * @throws {BusError} InvalidParams for an invalid name or target
   */
  listen<T = unknown>(
    event: Types extends { events: object } ? never : string,
    handler: EventHandler<T>,
    options?: { target?: string | EventTarget },
  ): Unlisten
  /** Listens to an event whose payload has the type that `Types` declares. */
  listen<Name extends keyof Types['events'] & string>(
    event: Name,
    handler: EventHandler<ReceivedPayload<Types, Name>>,
    options?: { target?: string | EventTarget },
  ): Unlisten
  /**
   * Waits for an event.
   *
   * @throws {BusError} InvalidParams, synchronously, for an invalid name. The promise rejects with Timeout or Cancelled
   * @example const { payload } = await app.once<number>('done', { timeout: 5000 })
   */
  once<T = unknown>(
    event: Types extends { events: object } ? never : string,
    options?: { target?: string | EventTarget } & WaitOptions,
  ): Promise<BusEvent<T>>
  /** Waits for an event whose payload has the type that `Types` declares. */
  once<Name extends keyof Types['events'] & string>(
    event: Name,
    options?: { target?: string | EventTarget } & WaitOptions,
  ): Promise<BusEvent<ReceivedPayload<Types, Name>>>
  /** Listens to an event once. Returns a function that removes the listener. */
  once<T = unknown>(
    event: Types extends { events: object } ? never : string,
    handler: EventHandler<T>,
    options?: { target?: string | EventTarget },
  ): Unlisten
  /** Listens once to an event whose payload has the type that `Types` declares. */
  once<Name extends keyof Types['events'] & string>(
    event: Name,
    handler: EventHandler<ReceivedPayload<Types, Name>>,
    options?: { target?: string | EventTarget },
  ): Unlisten
  /**
   * Keeps `value` for all handlers, by its class or a key of `stateKey`. Returns false if the key is managed already: the
   * first value stays, as in Tauri.
   *
   * @example app.manage(Counter, new Counter())
   */
  manage<T>(key: StateKey<T>, value: T): boolean
  /** Returns the value that `manage` keeps. @throws {BusError} InternalError, with Tauri's text, if nothing is managed by `key` */
  state<T>(key: StateKey<T>): T
  /** Resources of the app, by number, open until core ends. Any frontend may close them with Tauri's `Resource`. */
  readonly resources: Resources
  /** Resolves directories of this machine and of this program. */
  readonly path: PathResolver
}

/** A payload that can be undefined is optional. */
type SentPayload<Payload> = undefined extends Payload ? [payload?: Payload] : [payload: Payload]

/** A payload as core emitted it, or as it came from another thread. */
type ReceivedPayload<Types extends BusTypes, Name extends keyof Types['events']> =
  | Exclude<Types['events'][Name], undefined>
  | Serialized<Types['events'][Name], Types['codec']>

/** The request of a call. */
export interface CommandRequest {
  /** Headers of the call. */
  readonly headers: CallHeaders
  /** Named arguments before any schema, with channels in place; or bytes (`Uint8Array`) as a raw body. */
  readonly body: unknown
}

/** The second argument of a handler. `CommandContext<Types>` types its `app`. */
export interface CommandContext<Types extends BusTypes = BusTypes> {
  /** The app. */
  readonly app: App<Types>
  /** The label of the calling frontend. It comes from the link, so no message can claim another. */
  readonly label: string
  /** Aborts when the caller cancels, times out or disconnects, or when the bus closes. */
  readonly signal: AbortSignal
  /** A child of core's log. Its lines have `label` and `command`, and `plugin` if the command belongs to one. */
  readonly log: Logger
  /** Headers and body of the call. */
  readonly request: CommandRequest
  /**
   * Returns true if the caller may call this command too: `read_note`, `plugin:fs|read_text_file`. Returns false for an unknown command.
   * Nothing else checks what a handler does for its caller. Scopes are not compared.
   */
  readonly permits: (command: string) => boolean
  /** The scope that the caller's permissions give to the command. */
  readonly scope: CommandScope
  /** Returns the scope that the caller's permissions give to another command: empty if the caller may not call it. */
  readonly getScope: (command: string) => CommandScope
  /** Resources that stay open for this frontend between its calls, by number. They are closed when the frontend disconnects. */
  readonly resources: Resources
  /**
   * Asks the host's `onConfirm`. Without one it asks the user of the MCP client that has called the tool, and resolves to `false` for any other
   * caller. The text is shown with control characters replaced, and cut after 4096 characters. The caller's deadline keeps running.
   *
   * @throws {BusError} Overloaded while 16 requests of this frontend, or of this user of MCP, are open; InvalidRequest if the MCP client cannot ask its user;
   * the signal's reason when the call is aborted
   * @example if (!(await ctx.confirm(`Delete ${path}?`))) throw new CommandError('REFUSED')
   */
  readonly confirm: (text: string) => Promise<boolean>
  /**
   * Ends the run that makes the call: code of `bus.run` in `sandbox: 'quickjs'`, whose state becomes a continuation. `bus.resume` goes on at
   * the code's `await` with the value of this call, perhaps days later, and in another process. Always throws, and so ends the handler,
   * whose result is not used. The code does not get this error. See the page "Scripts" of the documentation.
   *
   * @param data - for the host, which gets a copy: any value that `structuredClone` takes
   * @throws {BusError} Interrupted; InvalidRequest if the call does not come from such a run, is a stream, or the bus has no
   * `runs: { key }`; InvalidParams if the data cannot be copied; the signal's reason if the call has been aborted
   * @example if (!(await isApproved(order))) ctx.interrupt({ order: order.id })
   */
  readonly interrupt: (data?: unknown) => never
  /** Returns the value given to `app.manage`: `ctx.state(Counter)`. @throws like `app.state` */
  readonly state: App['state']
}

// Middleware runs around the commands of the app and its plugins, after the capabilities, before schema and handler. It is
// composed once for each command; a command without middleware pays nothing.

/** One call, as middleware sees it. */
export interface MiddlewareCall<Types extends BusTypes = BusTypes> {
  /** The method: `greet`, `plugin:fs|read_text_file`. */
  readonly command: string
  /** The arguments before any schema, with channels in place. */
  readonly args: unknown
  /** The handler's own context. */
  readonly ctx: CommandContext<Types>
}

/**
 * Runs around each call that permissions allow. The returned value answers the call, and an error fails it, as a handler's would. `next`
 * runs the remaining middleware and then the handler, once, and returns the handler's result: for a stream, its async iterable.
 *
 * @example
 * const timing: Middleware = async ({ command, ctx }, next) => {
 *   const began = performance.now()
 *   try {
 *     return await next()
 *   } finally {
 *     ctx.log.info({ command, ms: performance.now() - began })
 *   }
 * }
 */
export type Middleware<Types extends BusTypes = BusTypes> = (
  call: MiddlewareCall<Types>,
  next: () => Promise<unknown>,
) => unknown

/** The types of a bus: `defineCore<{ events: Events; frontends: { main: Main } }>()`, `createBus<typeof import('./core.js').default>(…)`. */
export interface BusTypes extends ClientTypes {
  /**
   * The functions of each frontend, by label: the result of its `expose`, or an interface of functions. Without it, any function can be
   * called with any arguments. A template (`` [label: `md-${string}`]: Markdown ``) types several frontends.
   */
  frontends?: object
}

/** The functions of a frontend in the form from which names, arguments and results are inferred. */
export type ExposedBy<Functions> = Functions extends (...args: never) => unknown ? Functions : Exposed<Functions>

/** The types that `createBus` was given: those of a core, or its own. */
export type BusTypesOf<T> = '~types' extends keyof T
  ? NonNullable<T['~types']> extends infer Types extends BusTypes
    ? Types
    : BusTypes
  : [T] extends [infer Types extends BusTypes]
    ? Types
    : BusTypes

/** The core whose commands the clients of `connect` call. `unknown` if their names are not known, as those of a module. */
export type CoreOf<T> = [AnyCommandName<T>] extends [never] ? unknown : string extends AnyCommandName<T> ? unknown : T

/** A core with the types of its bus. */
export interface TypedCore<Types extends BusTypes = BusTypes> {
  /** Exists as a type only. */
  readonly '~types'?: Types
}

/** The result of a function: a promise of its value, or the values of its stream. */
export type FunctionResult<Functions, Name, Codec = 'json'> = (Name extends CommandName<ExposedBy<Functions>>
  ? Promise<CommandResult<ExposedBy<Functions>, Name, Codec>>
  : unknown) &
  (Name extends StreamName<ExposedBy<Functions>>
    ? AsyncIterable<StreamItem<ExposedBy<Functions>, Name, Codec>>
    : unknown)

/** A frontend as an object: its functions, each with arguments and options of a call. */
export type FrontendProxy<Functions, Codec = 'json'> = unknown extends Functions
  ? Readonly<
      Record<
        string,
        (args?: object, options?: Omit<InvokeOptions, 'headers'>) => Promise<unknown> & AsyncIterable<unknown>
      >
    > & {
      readonly then?: never
    }
  : {
      readonly [Name in CommandName<ExposedBy<Functions>> | StreamName<ExposedBy<Functions>>]: (
        ...call: CallParameters<ExposedBy<Functions>, Name, Codec, Omit<InvokeOptions, 'headers'>>
      ) => FunctionResult<Functions, Name, Codec>
    }

declare const VALUE: unique symbol

/** A key of managed state: the value's class, or a key of `stateKey`, whose `name` is for error texts. */
export type StateKey<T> =
  | (abstract new (...args: never[]) => T)
  // The last member is for the type checker only: keys of different types are not interchangeable.
  | { readonly kind: 'state'; readonly name: string; readonly [VALUE]?: (value: T) => T }

/**
 * Creates a key for state without a class of its own. A module shares its state by exporting the key.
 *
 * @param name for error texts
 * @example
 * const SETTINGS = stateKey<{ theme: string }>('settings')
 * app.manage(SETTINGS, { theme: 'dark' }) // ctx.state(SETTINGS).theme
 */
export function stateKey<T>(name: string): StateKey<T> {
  if (typeof name !== 'string' || name === '') throw new BusError('InvalidParams', 'stateKey() takes a name')
  return Object.freeze({ kind: 'state', name })
}

export class StateStore {
  readonly #values = new Map<object, unknown>()

  /** Returns false if the key is managed already: the first value stays, as in Tauri. */
  manage<T>(key: StateKey<T>, value: T): boolean {
    if (typeof key !== 'function' && (key as { kind?: unknown } | null | undefined)?.kind !== 'state') {
      throw new BusError('InvalidParams', 'app.manage() takes a key and a value: app.manage(Counter, new Counter())')
    }
    if (this.#values.has(key)) return false
    this.#values.set(key, value)
    return true
  }

  /** @throws {BusError} InternalError, with Tauri's text, if nothing is managed by this key */
  get<T>(key: StateKey<T>): T {
    if (this.#values.has(key)) return this.#values.get(key) as T
    const name = String((key as { name?: unknown } | undefined)?.name ?? key)
    const text = `state not managed for \`${name}\`. You must call \`.manage()\` before using this command`
    throw new BusError('InternalError', text)
  }
}
