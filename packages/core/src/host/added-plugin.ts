// A plugin that the host adds at run time: what core gets to know of it, and the functions that run its commands in the host.
import type { ExposedContext } from '@sallyport/frontend/internal'
import { BusError, describeCommand, describeName } from '@sallyport/protocol/internal/errors'
import { toCommandIdentity } from '../acl/identifier.js'
import type { PermissionFile } from '../acl/types.js'
import { type Command, toCommandContent } from '../api/define.js'
import type { HostPlugin } from '../contract/host-core.js'
import { checkArguments } from '../api/arguments.js'
import { isObject } from '../shared/validate.js'

/** A command of a plugin that was added at run time: a function, or the result of `command` with a handler. */
export type AddedCommand = Command<never, unknown> | ((args: never, ctx: ExposedContext) => unknown)

/** A plugin that is added at run time. Its commands run in the host, so it has no setup and no script. */
export interface AddedPlugin {
  /** The name in `plugin:<name>|<command>`. */
  readonly name: string
  /** Its commands by name. Handlers get the arguments and `{ signal }`, as the functions that a frontend exposes. */
  readonly commands: Readonly<Record<string, AddedCommand>>
  /** Permissions in addition to the generated ones, as those of `plugin`. */
  readonly permissions?: readonly PermissionFile[]
  /** Runs once, after the plugin was removed or core has ended with the bus. */
  teardown?(): void | Promise<void>
}

interface PreparedPlugin {
  readonly plugin: HostPlugin
  /** Functions for the host's client, by method. */
  readonly functions: Readonly<Record<string, (args: never, ctx: ExposedContext) => unknown>>
}

const MEMBERS = ['name', 'commands', 'permissions', 'teardown']

/** @throws {BusError} InvalidParams */
export function preparePlugin(added: AddedPlugin): PreparedPlugin {
  if (!isObject(added) || typeof added.name !== 'string') throw wrong('takes { name, commands, permissions }')
  const { name, commands, permissions = [] } = added
  const unknown = Object.keys(added).find(member => !MEMBERS.includes(member))
  if (unknown !== undefined) {
    throw wrong(`${describeName(unknown)} has to be left out: at run time a plugin has ${MEMBERS.join(', ')}`)
  }
  if (added.teardown !== undefined && typeof added.teardown !== 'function') throw wrong('teardown must be a function')
  if (!isObject(commands)) throw wrong('commands must be an object of commands by name')
  const entries = Object.entries(commands).map(([command, definition]) => {
    const { method } = toCommandIdentity(command, name)
    if (typeof definition === 'function') {
      return { command, method, content: toCommandContent({ handler: definition }), run: definition }
    }
    const { kind, schema, handler } = Object(definition) as Partial<Command>
    if (kind !== 'command' || typeof handler !== 'function') {
      throw wrong(`${describeCommand(method)} must be a function, or made with command() and a handler`)
    }
    const run = schema
      ? checkArguments(method, schema, handler as (args: unknown, ctx: ExposedContext) => unknown)
      : handler
    return { command, method, content: toCommandContent(definition as Command), run }
  })
  const contents = Object.fromEntries(entries.map(({ command, content }) => [command, content]))
  // A copy, because the next core gets it too.
  const plugin = structuredClone({ name, commands: contents, permissions })
  const functions = entries.map(({ method, run }) => [method, run] as const)
  return { plugin, functions: Object.fromEntries(functions) as PreparedPlugin['functions'] }
}

const wrong = (text: string): BusError => new BusError('InvalidParams', `bus.addPlugin: ${text}`)
