// All commands of a core by the name that they are called by, each ready to run.
import { BusError, describeCommand } from '@sallyport/protocol'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { CommandName } from './authority/acl.js'
import { CORE_COMMANDS } from './authority/core-permissions.js'
import { permissionsOf } from './authority/identifier.js'
import { checked } from './checked-args.js'
import type { Call, Runnable } from './call.js'
import type { AnyCommand, Commands, CoreDefinition } from './define.js'
import { around } from './around.js'
import type { Pool } from './pool.js'

export interface RunnableCommand extends CommandName, Runnable {}

export type CommandRegistry = ReadonlyMap<string, RunnableCommand>

/** @throws BusError `InvalidParams`, which names the command or plugin that is defined wrongly. */
export function createRegistry(
  definition: CoreDefinition,
  core: readonly RunnableCommand[],
  pool: Pool,
): CommandRegistry {
  const registry = new Map<string, RunnableCommand>(core.map(command => [command.method, command]))
  const addAll = (owner: 'app' | 'plugin', commands: Commands | undefined, plugin?: string): void => {
    for (const [name, command] of Object.entries(commands ?? {})) {
      const method = plugin === undefined ? name : `plugin:${plugin}|${name}`
      if (name === '' || (plugin === undefined && /^\$\/|^plugin:/.test(name))) {
        throw new BusError('InvalidParams', `${describeCommand(name)} has a name that the bus keeps for itself`)
      }
      const run = around(definition.use ?? [], method, runner(method, command, pool))
      registry.set(method, { method, owner, ...permissionsOf(name, plugin), run })
    }
  }
  addAll('app', definition.commands)
  const plugins = new Set<string>()
  for (const plugin of definition.plugins ?? []) {
    checkPluginName(plugin.name)
    if (plugins.has(plugin.name)) throw new BusError('InvalidParams', `There are two plugins named ${plugin.name}`)
    plugins.add(plugin.name)
    addAll('plugin', plugin.commands, plugin.name)
  }
  return registry
}

function checkPluginName(name: string): void {
  // `expose`: hooks are shown answers of frontends as `plugin:expose|answer`.
  if (['core', 'tauri', 'expose'].includes(name) || Object.hasOwn(CORE_COMMANDS, name))
    throw new BusError('InvalidParams', `plugin uses reserved name: ${name}`)
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw new BusError('InvalidParams', `A plugin’s name has only a-z, 0-9 and "-": got ${JSON.stringify(name)}`)
  }
}

function runner(method: string, command: AnyCommand, pool: Pool): Runnable['run'] {
  if (typeof command === 'function') return command as Runnable['run']
  const { kind, schema, handler, thread } = command ?? {}
  const run = handler ?? (thread && ((args: unknown, ctx: Call) => pool.run(method, thread, args, ctx.signal)))
  if (kind !== 'command' || typeof run !== 'function') {
    throw new BusError('InvalidParams', `${describeCommand(method)} must be a function, or made with command()`)
  }
  if (thread?.protocol === 'file:' && !existsSync(thread)) {
    throw new BusError('InvalidParams', `${describeCommand(method)}: thread: there is no file ${fileURLToPath(thread)}`)
  }
  return schema ? checked(method, schema, run as Runnable['run']) : (run as Runnable['run'])
}
