// All commands of a core, ready to run, by the name that they are called by.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BusError, describeCommand, describeName, isDevelopment } from '@sallyport/protocol/internal'
import { isGuiPlugin, splitMethod, toCommandIdentity } from '../acl/identifier.js'
import { CORE_COMMANDS } from '../acl/tauri-permissions.js'
import type { CommandIdentity } from '../acl/types.js'
import type { AnyCommand, Commands, CoreDefinition } from '../api/define.js'
import { didYouMean, MAX_NAME_LENGTH } from '../shared/suggest.js'
import { checkArguments } from './arguments.js'
import type { Call, Runnable } from './call-table.js'
import { wrapWithMiddleware } from './middleware.js'
import type { Pool } from './worker-pool.js'

export interface RunnableCommand extends CommandIdentity, Runnable {}

export type CommandRegistry = ReadonlyMap<string, RunnableCommand>

const COMMAND_NAME_RULE = 'Command name must include only alphanumeric characters, `-`, `/`, `:`, `_` and `.`'
const COMMAND_NAME = /^[\p{Alphabetic}\p{N}\-/:_.]*$/u

/** @throws {BusError} `InvalidParams`, which names the command or plugin that is defined wrongly */
export function createRegistry(
  definition: CoreDefinition,
  coreCommands: readonly RunnableCommand[],
  pool: Pool,
): CommandRegistry {
  const registry = new Map<string, RunnableCommand>(coreCommands.map(command => [command.method, command]))
  const addAll = (commands: Commands | undefined, plugin?: string): void => {
    for (const [name, command] of Object.entries(commands ?? {})) {
      if (name === '' || (plugin === undefined && /^\$\/|^plugin:/.test(name)))
        throw new BusError('InvalidParams', `${describeCommand(name)} has a name that is reserved for the bus`)
      const commandName = toCommandIdentity(name, plugin)
      const { method } = commandName
      if (!COMMAND_NAME.test(name))
        throw new BusError('InvalidParams', `${COMMAND_NAME_RULE}: got ${describeName(method)}`)
      const run = wrapWithMiddleware(definition.use ?? [], method, createRunner(method, command, pool))
      registry.set(method, { ...commandName, run })
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

function checkPluginName(name: string): void {
  // `expose` is reserved because hooks see answers of frontends as `plugin:expose|answer`.
  const isReserved = Object.hasOwn(CORE_COMMANDS, name) && !isGuiPlugin(name)
  if (isReserved || ['core', 'tauri', 'expose'].includes(name)) {
    throw new BusError('InvalidParams', `plugin uses reserved name: ${name}`)
  }
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw new BusError('InvalidParams', `A plugin's name must consist of a-z, 0-9 and "-": got ${JSON.stringify(name)}`)
  }
}

function createRunner(method: string, command: AnyCommand, pool: Pool): Runnable['run'] {
  if (typeof command === 'function') return command as Runnable['run']
  const { kind, schema, handler, thread } = command ?? {}
  const run = handler ?? (thread && ((args: unknown, ctx: Call) => pool.run(method, thread, args, ctx.signal)))
  if (kind !== 'command' || typeof run !== 'function') {
    throw new BusError('InvalidParams', `${describeCommand(method)} must be a function, or made with command()`)
  }
  if (thread?.protocol === 'file:' && !existsSync(thread)) {
    throw new BusError('InvalidParams', `${describeCommand(method)}: thread: there is no file ${fileURLToPath(thread)}`)
  }
  return schema ? checkArguments(method, schema, run as Runnable['run']) : (run as Runnable['run'])
}

/** Returns Tauri's text for an unknown command, with the reason for a GUI command, and with a suggestion in development. */
export function describeNotFound(method: string, registry: CommandRegistry): string {
  const { plugin, name: fullName } = splitMethod(method)
  const name = fullName.slice(0, MAX_NAME_LENGTH)
  if (plugin === undefined) return `Command ${name} not found${suggest(method, registry.keys())}`
  const needsWindow = plugin === 'app' && name !== 'exit' && CORE_COMMANDS['app']!.others.includes(name)
  if (needsWindow || isGuiPlugin(plugin)) {
    return `Command ${name} not found: ${describeName(`${plugin}|${name}`)} is not available without a GUI`
  }
  const known = Array.from(registry.keys(), splitMethod)
  const commands = known.filter(other => other.plugin === plugin).map(other => other.name)
  if (commands.length > 0) return `Command ${name} not found${suggest(name, commands)}`
  const plugins = known.flatMap(other => other.plugin ?? [])
  return `plugin ${plugin.slice(0, MAX_NAME_LENGTH)} not found${suggest(plugin, plugins)}`
}

const suggest = (name: string, names: Iterable<string>): string => (isDevelopment() ? didYouMean(name, names) : '')
