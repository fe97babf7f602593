// Functions for writing a core module: commands, plugins, and the definition that holds them.
import {
  BusError,
  checkOptions,
  type OptionCheck,
  type OptionChecks,
  STRING,
} from '@sallyport/protocol/internal/errors'
import { warn } from '@sallyport/protocol/internal/util'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { PermissionFile, Scope } from '../acl/types.js'
import type { App, BusTypes, CommandContext, Middleware, TypedCore } from './app.js'

/** A command's function. It takes named arguments and returns a value or a promise of one. */
export type CommandHandler<Args, Result> = (args: Args, ctx: CommandContext) => Result

/** The result of `command`. `Args` is what callers send, `Result` what the handler returns. */
export interface Command<Args = never, Result = unknown> {
  /** Distinguishes a command from a bare function. */
  readonly kind: 'command'
  /** What it does, for those who choose among commands: `bus.describe`. */
  readonly description: string | undefined
  /** The schema of its arguments. */
  readonly schema: StandardSchemaV1 | undefined
  /** The schema of its result, which describes it and checks nothing. */
  readonly result: StandardSchemaV1 | undefined
  /** The function that runs the command, unless it runs in the pool. */
  readonly handler: CommandHandler<Args, Result> | undefined
  /** A module that runs the command in the pool, instead of a handler. */
  readonly thread: URL | undefined
}

/** A command, or a bare function. */
export type AnyCommand = Command<never, unknown> | CommandHandler<never, unknown>

/** Options of `command`. */
export interface CommandOptions<Schema extends StandardSchemaV1> {
  /** What the command does, in a sentence or two for people and models: see `bus.describe`. */
  description?: string
  /** Any Standard Schema (zod, valibot, arktype, …). The handler receives the schema's output. */
  args?: Schema
  /** Any Standard Schema, which describes the result in `bus.describe`. No result is checked against it. */
  result?: StandardSchemaV1
}

/**
 * Defines a command with a schema for its arguments. With `thread` in the place of a handler, it runs in a pool of threads.
 *
 * @example
 * command({ args: z.object({ name: z.string() }) }, ({ name }) => `Hello, ${name}!`)
 * command({ thread: new URL('./heavy.js', import.meta.url) })
 */
export function command<Schema extends StandardSchemaV1, Result>(
  options: CommandOptions<Schema>,
  handler: CommandHandler<StandardSchemaV1.InferOutput<Schema>, Result>,
): Command<StandardSchemaV1.InferInput<Schema>, Result>
/**
 * Defines a command that runs in a pool of threads, without access to core. `Result` is the type of its result, which nothing checks.
 *
 * @param options.thread - a module whose default export runs the command: `export default (args) => result`. It receives only the
 * arguments, by structured clone
 * @example command({ thread: new URL('./heavy.js', import.meta.url) })
 */
export function command<Schema extends StandardSchemaV1, Result = unknown>(
  options: CommandOptions<Schema> & { thread: URL },
): Command<StandardSchemaV1.InferInput<Schema>, Promise<Result>>
export function command(
  options: CommandOptions<StandardSchemaV1> & { thread?: URL },
  handler?: CommandHandler<never, unknown>,
): Command {
  if (typeof options === 'function')
    throw wrong(handler === undefined ? 'a handler alone needs none: write the function itself' : OPTIONS_FIRST)
  if ('~standard' in (options ?? {})) throw wrong(`a schema is the option args: ${USAGE}`)
  const { description, args, result, thread } = checkOptions('command()', options ?? {}, CHECKS)
  if (thread !== undefined && handler !== undefined) throw wrong('either a handler or a thread, not both')
  return { kind: 'command', description, schema: args, result, handler, thread }
}

const schema: OptionCheck = [
  value => typeof (Object(value) as Partial<StandardSchemaV1>)['~standard']?.validate === 'function',
  'a Standard Schema, such as z.object({ … }) of zod',
]
const CHECKS: OptionChecks<CommandOptions<StandardSchemaV1> & { thread?: URL }> = {
  description: STRING,
  args: schema,
  result: schema,
  thread: [value => value instanceof URL, 'a URL'],
}
const USAGE = 'command({ args: schema }, handler)'
const OPTIONS_FIRST = `the options come first: ${USAGE}`

const wrong = (what: string): BusError => new BusError('InvalidParams', `command(): ${what}`)

/** Commands by name. */
export type Commands = Readonly<Record<string, AnyCommand>>

/**
 * Commands whose handlers may omit the type of their arguments: it is `Record<string, unknown>`, because callers can send anything.
 * `CallableFunction`, which `C` extends, has no signature, so it gives unannotated parameters no type.
 */
export type InferredCommands<C, Types extends BusTypes = BusTypes> = {
  [Name in keyof C]:
    | C[Name]
    | ((args: Record<string, unknown>, ctx: CommandContext<Types>, ...none: never[]) => unknown)
}

/** The content of a plugin. */
export interface PluginDefinition<C = Commands> {
  /** The plugin's commands by name. */
  commands?: C
  /** Permissions in addition to the generated ones: sets, scopes, and the content of `default`, as in Tauri's permission files. */
  permissions?: readonly PermissionFile[]
  /**
   * Checks a value of the plugin's scopes: each of those that capabilities, `allow` and permission files give, at the start or later. A
   * thrown error refuses the capability, and its message is a part of the error's.
   *
   * @example checkScope: value => { if (typeof value !== 'string') throw new Error('a path must be a string') }
   */
  checkScope?(value: unknown): void
  /**
   * Code of a classic script, Tauri's `js_init_script`. It runs in web pages before their own scripts, and in workers and processes when
   * they import `@sallyport/frontend/tauri`, after Tauri's globals exist. Every frontend gets it, whatever it may call. Wrap it in a
   * function to keep its variables private.
   */
  script?: string
  /** Runs once, before core is ready. An error stops the start and names the plugin. */
  setup?(app: App, api: PluginApi): void | Promise<void>
  /**
   * Runs once when core ends: after the frontends have disconnected and their resources are closed, in reverse order of the setups. Core
   * stops waiting for it after 5 s, or when the `timeout` of `bus.close` ends. Errors are logged.
   */
  teardown?(app: App): void | Promise<void>
}

/** Information about the plugin for its `setup`. */
export interface PluginApi {
  /** The plugin's name. */
  readonly name: string
  /** `config.plugins.<name>` of `createBus`, or `plugins.<name>` of the project's configuration, unvalidated; `undefined` if it is missing. */
  readonly config: unknown
  /** The plugin's global scope: values of its permissions that name no command. */
  readonly scope: Scope
}

/** A named group of commands: the result of `plugin`. */
export interface Plugin<Name extends string = string, C = Commands> extends PluginDefinition<C> {
  /** The name in `plugin:<name>|<command>`. */
  readonly name: Name
}

/** `C`, which TypeScript infers from arguments alone: in `plugins: […]`, the expected type would take the place of the default. */
type FromArguments<C> = [C] extends [infer Commands] ? Commands : never

/**
 * Defines a named group of commands, called as `plugin:<name>|<command>`, with their permissions, `setup` and `teardown`.
 *
 * @example plugin('notes', { commands: { read: ({ id }) => `Note ${id}` } })
 */
export function plugin<
  const Name extends string,
  // The default is that of a plugin without commands.
  C extends Readonly<Record<string, CallableFunction | Command>> = Record<never, AnyCommand>,
>(
  name: Name,
  definition: PluginDefinition<{
    [Name in keyof C]: C[Name] | ((args: Record<string, unknown>, ctx: CommandContext, ...none: never[]) => unknown)
  }>,
): Plugin<Name, FromArguments<C>>
export function plugin(name: string, definition: PluginDefinition): Plugin {
  return { ...definition, name }
}

/** The default export of a core module: commands, plugins, middleware, setup and teardown. */
export interface CoreDefinition<C = Commands, P = Plugin, Types extends BusTypes = BusTypes> {
  /** The app's commands by name. */
  commands?: C
  /** Plugins, set up in their order. */
  plugins?: readonly P[]
  /** Middleware around each call of the commands of the app and its plugins, the first outermost. */
  use?: readonly Middleware<Types>[]
  /** Runs once, before core is ready, after the plugins' `setup`. */
  setup?(app: App<Types>): void | Promise<void>
  /** Runs once when core ends, before the plugins' `teardown`. */
  teardown?(app: App<Types>): void | Promise<void>
}

/** `defineCore` for a core whose events and frontends have types. */
export type DefineTypedCore<Types extends BusTypes> = <
  C extends Readonly<Record<string, CallableFunction | Command>>,
  D extends CoreDefinition<unknown, Plugin<string, object>, Types>,
>(
  definition: D & CoreDefinition<InferredCommands<C, Types>, Plugin<string, object>, Types>,
) => D & TypedCore<Types>

/** Returns a core module's definition unchanged, with inferred types. Arguments of a handler without a type are `Record<string, unknown>`. */
export function defineCore<
  C extends Readonly<Record<string, CallableFunction | Command>>,
  D extends CoreDefinition<unknown, Plugin<string, object>>,
>(definition: D & CoreDefinition<InferredCommands<C>, Plugin<string, object>>): D
/**
 * Returns `defineCore` for a core whose events and frontends have types: in `app`, in `ctx.app` of its handlers, and in
 * `createBus<typeof core>`. It is a second call because TypeScript infers either all type arguments or none.
 *
 * @example
 * export default defineCore<{ events: { done: number }; frontends: { md: Markdown } }>()({ commands: { … } })
 */
export function defineCore<Types extends BusTypes = BusTypes>(): DefineTypedCore<Types>
export function defineCore(...definition: [unknown?]): unknown {
  return definition.length === 0 ? defineCore : definition[0]
}

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What a command does and takes. */
export interface CommandContent {
  /** `description` of `command`. */
  readonly description?: string | undefined
  /** JSON Schema of the arguments. `undefined` if the command has no schema, or a schema that cannot be converted. */
  readonly args?: JsonSchema | undefined
  /** JSON Schema of the result. `undefined` if the command has none, or one that cannot be converted. */
  readonly result?: JsonSchema | undefined
  /** True if the command is an `async function*`, whose values `stream` reads. */
  readonly isStream?: boolean | undefined
}

/** One command that a label may call: an entry of `bus.describe`. */
export interface CommandDescription extends CommandContent {
  /** The name that it is called by: `greet`, `plugin:fs|read_file`. */
  readonly command: string
  /** The permission that allows it: `allow-greet`, `fs:allow-read-file`. */
  readonly permission: string
}

type Definition = { description?: string | undefined; schema?: unknown; result?: unknown; handler?: unknown }

/**
 * Converts what `command` was given.
 *
 * @param name - for warnings
 */
export const toCommandContent = (
  name: string,
  { description, schema, result, handler }: Definition,
): CommandContent => ({
  description,
  args: toJsonSchema(schema, 'input', `The arguments of ${name}`),
  result: toJsonSchema(result, 'output', `The result of ${name}`),
  ...(isGenerator(handler) && { isStream: true }),
})

const isGenerator = (handler: unknown): boolean =>
  Object.prototype.toString.call(handler) === '[object AsyncGeneratorFunction]'

/** What zod's `override` gets for each schema within a schema, the inner ones first. */
interface Conversion {
  readonly zodSchema: { readonly _zod: { readonly def: { readonly type: string; readonly coerce?: boolean } } }
  readonly jsonSchema: Record<string, unknown>
  readonly path: readonly (string | number)[]
}
type Converter = (options: { target: string; libraryOptions?: object }) => Record<string, unknown>
type Convertible = StandardSchemaV1.Props & { jsonSchema?: Partial<Record<'input' | 'output', Converter>> }

/** Types of zod without one in JSON Schema. */
const UNSAID = new Set([
  'bigint',
  'custom',
  'date',
  'function',
  'map',
  'nan',
  'set',
  'symbol',
  'transform',
  'undefined',
  'void',
])
const warned = new WeakSet()

/**
 * Uses the [Standard JSON Schema](https://standardschema.dev/json-schema) of a schema. A member that JSON Schema cannot say takes any value, and a
 * date is a text; the first time, a warning names them. `undefined` without a schema, or with one that cannot be converted at all.
 *
 * @param subject - for the warning
 */
export function toJsonSchema(schema: unknown, side: 'input' | 'output', subject: string): JsonSchema | undefined {
  const standard: Convertible | undefined = (schema as StandardSchemaV1 | undefined)?.['~standard']
  const convert = (libraryOptions?: object): JsonSchema | undefined => {
    const converted = standard?.jsonSchema?.[side]?.({
      target: 'draft-2020-12',
      ...(libraryOptions && { libraryOptions }),
    })
    // Only data: the schema goes to other threads and to clients.
    return converted && JSON.parse(JSON.stringify(converted))
  }
  try {
    return convert()
  } catch {
    const unsaid = new Map<string, string>()
    const override = ({ zodSchema, jsonSchema, path }: Conversion): void => {
      const { type, coerce } = zodSchema._zod.def
      if (!UNSAID.has(type)) return
      if (type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' })
      if (type === 'bigint' && coerce) Object.assign(jsonSchema, { type: 'integer' })
      // It takes what the model is told.
      if (coerce) return
      const place = path.filter((step, index) => index % 2 === 1 || step !== 'properties').join('.')
      unsaid.set(place, type)
    }
    try {
      const converted = convert({ unrepresentable: 'any', override })
      if (unsaid.size > 0 && !warned.has(schema as object)) {
        warned.add(schema as object)
        const places = [...unsaid].toReversed().map(([place, type]) => `${JSON.stringify(place)} (${type})`)
        const told = 'A model is told that it takes any value, and that a date is a text'
        const remedy = 'Have the schema take what JSON has, as z.coerce.date() does'
        warn(`${subject}: JSON Schema has no type for what is at ${places.join(', ')}. ${told}. ${remedy}.`)
      }
      return converted
    } catch {
      // Another library's.
      return undefined
    }
  }
}
