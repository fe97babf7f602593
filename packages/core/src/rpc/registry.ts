// All commands of a core, ready to run, by the name that they are called by.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BusError, describeCommand, describeName } from '@sallyport/protocol/internal/errors'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isGuiPlugin, toCommandIdentity } from '../acl/identifier.js'
import { CORE_COMMANDS } from '../acl/tauri-permissions.js'
import type { CommandIdentity } from '../acl/types.js'
import { toCommandContent } from '../api/command-description.js'
import type { AnyCommand, Commands, CoreDefinition } from '../api/define.js'
import { composeRun } from './call-phases.js'
import type { IncomingCall, Runnable, RunnableCommand } from './call-table.js'
import type { Pool } from './worker-pool.js'

const COMMAND_NAME_RULE = 'Command name must include only alphanumeric characters, `-`, `/`, `:`, `_` and `.`'
const COMMAND_NAME = /^[\p{Alphabetic}\p{N}\-/:_.]*$/u

/** @throws {BusError} `InvalidParams`, which names the command or plugin that is defined wrongly */
export function createRegistry(
  definition: CoreDefinition,
  coreCommands: readonly RunnableCommand[],
  pool: Pool,
): Map<string, RunnableCommand> {
  const registry = new Map<string, RunnableCommand>(coreCommands.map(command => [command.method, command]))
  const permissions = new PermissionOwners()
  const addAll = (commands: Commands | undefined, plugin?: string): void => {
    for (const [name, command] of Object.entries(commands ?? {})) {
      if (name === '' || (plugin === undefined && /^\$\/|^plugin:/.test(name)))
        throw new BusError('InvalidParams', `${describeCommand(name)} has a name that is reserved for the bus`)
      const commandName = toCommandIdentity(name, plugin)
      const { method } = commandName
      checkCommandName(name, method)
      permissions.check(commandName)
      const { schema, handler } = readCommand(method, command, pool)
      const run = composeRun(method, definition.use ?? [], schema, handler)
      registry.set(method, {
        ...commandName,
        run,
        describe: () => toCommandContent(typeof command === 'function' ? { handler: command } : command),
      })
    }
  }
  addAll(definition.commands)
  const plugins = new Set<string>()
  for (const plugin of definition.plugins ?? []) {
    checkPluginName(plugin.name)
    if (plugins.has(plugin.name)) throw new BusError('InvalidParams', `There are two plugins named ${plugin.name}`)
    plugins.add(plugin.name)
    addAll(plugin.commands, plugin.name)
  }
  return registry
}

/** @throws {BusError} `InvalidParams` */
export function checkCommandName(name: string, method: string): void {
  if (COMMAND_NAME.test(name)) return
  throw new BusError('InvalidParams', `${COMMAND_NAME_RULE}: got ${describeName(method)}`)
}

/** Refuses two commands with one permission: what allows one of them would allow the other. */
export class PermissionOwners {
  readonly #methods = new Map<string, string>()

  /** @throws {BusError} `InvalidParams` */
  check({ allow, method }: CommandIdentity): void {
    const other = this.#methods.get(allow)
    this.#methods.set(allow, method)
    if (other === undefined) return
    const names = `${describeName(other)} and ${describeName(method)}`
    throw new BusError('InvalidParams', `The commands ${names} share the permission ${allow}. Rename one of them`)
  }
}

/**
 * Names that no plugin has. `host` and `acl` are the prefixes of `HOST_METHOD`; `expose` is reserved because hooks see answers of frontends as
 * `plugin:expose|answer`.
 */
const RESERVED_NAMES: readonly string[] = ['core', 'tauri', 'expose', 'host', 'acl']

/** @throws {BusError} `InvalidParams` */
export function checkPluginName(name: string): void {
  const isReserved = Object.hasOwn(CORE_COMMANDS, name) && !isGuiPlugin(name)
  if (isReserved || RESERVED_NAMES.includes(name)) {
    throw new BusError('InvalidParams', `plugin uses reserved name: ${name}`)
  }
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw new BusError('InvalidParams', `A plugin's name must consist of a-z, 0-9 and "-": got ${JSON.stringify(name)}`)
  }
}

type Command = { schema?: StandardSchemaV1 | undefined; handler: Runnable['run'] }

/** @throws {BusError} `InvalidParams` */
function readCommand(method: string, command: AnyCommand, pool: Pool): Command {
  if (typeof command === 'function') return { handler: command as Runnable['run'] }
  const { kind, schema, handler, thread } = command ?? {}
  const run = handler ?? (thread && ((args: unknown, ctx: IncomingCall) => pool.run(method, thread, args, ctx.signal)))
  if (kind !== 'command' || typeof run !== 'function') {
    throw new BusError('InvalidParams', `${describeCommand(method)} must be a function, or made with command()`)
  }
  if (thread?.protocol === 'file:' && !existsSync(thread)) {
    throw new BusError('InvalidParams', `${describeCommand(method)}: thread: there is no file ${fileURLToPath(thread)}`)
  }
  return { schema, handler: run as Runnable['run'] }
}
