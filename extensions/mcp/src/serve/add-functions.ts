// Functions that a frontend exposes as commands of a plugin, so that they are tools as any command is: with rights, quotas and middleware.
import { type Bus, BusError, command } from '@sallyport/core'
import type { AddedCommand, JsonSchema } from '@sallyport/core/internal'
import { checkOptions, STRING } from '@sallyport/protocol/internal/errors'
import { isPlainObject } from '@sallyport/protocol/internal/util'
import { MILLISECONDS } from '../shared/checks.js'
import { describeOnly, findShared, warnOfUnserved } from '../shared/tools.js'

/** What a frontend says of a function that it exposes. */
export interface FunctionDescription {
  /** What it does, for those who choose among tools. */
  readonly description?: string
  /** JSON Schema of the arguments, an object. The function has to check them: it gets whatever a client sends. */
  readonly args?: JsonSchema
  /** True for an `async function*`. */
  readonly isStream?: boolean
}

/** Options of `addFunctions`. */
export interface AddFunctionsOptions {
  /** Of the plugin: lower-case letters, digits and `-`. @default the frontend's label */
  readonly name?: string
  /** Milliseconds for each call, and for the descriptions. @default `calls.commandTimeout` of the bus */
  readonly timeout?: number
}

const MAX_FUNCTIONS = 200
const MAX_CHARACTERS = 256 * 1024

/**
 * Adds the functions that a frontend describes as the plugin `<label>`: the function `convert` of the frontend `images` is the command
 * `plugin:images|convert` with the permission `images:allow-convert`, and `images:default` allows all. The frontend exposes `describe`, which returns
 * `{ convert: { description, args } }`; what it does not describe stays the host's alone. Of functions that share a permission, such as `read_note` and
 * `read-note`, the first is added, and a warning names both. `bus.removePlugin` takes them back. A call while the frontend does not run
 * rejects as `bus.call` does.
 * @throws {BusError} InvalidParams for descriptions that are none, or a name that is in use; what `bus.call` throws if the frontend has no `describe`
 */
export async function addFunctions(bus: Bus, label: string, options: AddFunctionsOptions = {}): Promise<void> {
  const { name = label, timeout } = checkOptions('addFunctions', options, { name: STRING, timeout: MILLISECONDS })
  const limit = timeout === undefined ? {} : { timeout }
  const all = readDescriptions(label, await bus.call(label, 'describe', {}, limit))
  const toPermission = (method: string): string => `allow-${method.replaceAll('_', '-')}`
  const names = all.map(([method]) => method)
  const unserved = findShared(names, 'permission', method => `${name}:${toPermission(method)}`)
  warnOfUnserved(bus, `Functions of the frontend ${JSON.stringify(label)}`, unserved, 'Rename them.')
  const described = all.filter(([method]) => !unserved.has(method))
  const commands = described.map(([method, description]): [string, AddedCommand] => {
    const { args = { type: 'object' }, isStream, description: text } = description
    const content = { ...(text !== undefined && { description: text }), args: describeOnly(args) }
    type Context = { readonly signal: AbortSignal }
    return [
      method,
      isStream
        ? command(content, async function* (given, { signal }: Context) {
            yield* bus.stream(label, method, given, { signal, ...limit })
          })
        : command(content, (given, { signal }: Context) => bus.call(label, method, given, { signal, ...limit })),
    ]
  })
  const allowed = described.map(([method]) => toPermission(method))
  await bus.addPlugin({
    name,
    commands: Object.fromEntries(commands),
    permissions: [{ default: { permissions: allowed } }],
  })
}

/** The descriptions are a plugin's words: only data of the right form, and not too much of it, goes on. */
function readDescriptions(label: string, value: unknown): [string, FunctionDescription][] {
  const refuse = (why: string): never => {
    throw new BusError('InvalidParams', `addFunctions: describe of ${JSON.stringify(label)} ${why}`)
  }
  if (!isPlainObject(value)) return refuse('must return { name: { description, args } }')
  if (toLength(value) > MAX_CHARACTERS) return refuse(`returned more than ${MAX_CHARACTERS} characters of JSON`)
  const entries = Object.entries(value)
  if (entries.length > MAX_FUNCTIONS) return refuse(`named more than ${MAX_FUNCTIONS} functions`)
  return entries.map(([name, given]) => {
    if (!isPlainObject(given)) return refuse(`must return an object for ${JSON.stringify(name)}`)
    const { description, args, isStream } = given
    if (description !== undefined && typeof description !== 'string') return refuse(`gave ${name} no text`)
    if (args !== undefined && (!isPlainObject(args) || args['type'] !== 'object')) {
      return refuse(`must give ${name} args with the type "object"`)
    }
    return [
      name,
      { ...(description !== undefined && { description }), ...(args && { args }), isStream: isStream === true },
    ]
  })
}

/** A value that is no JSON, such as a `bigint` of msgpack, is too long. */
function toLength(value: object): number {
  try {
    return JSON.stringify(value).length
  } catch {
    return Infinity
  }
}
