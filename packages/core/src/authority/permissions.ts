// Which permissions there are: two for each command, and the sets of the core plugins.
import { BusError } from '@sallyport/protocol'
import type { CommandRegistry, RunnableCommand } from '../commands.js'
import { CORE_PLUGINS } from '../core-plugins.js'
import { didYouMean } from '../guess.js'
import type { Capability } from './capability.js'

/** What a permission does to the commands that it names. */
export interface Permission {
  effect: 'allow' | 'deny'
  command: RunnableCommand
}

/**
 * Every frontend has the commands of Tauri's core plugins that exist here, so their default sets add nothing, and
 * capabilities written for Tauri hold as they are.
 */
const CORE_SETS: ReadonlySet<string> = new Set(['core:default', ...CORE_PLUGINS.map(name => `core:${name}:default`)])

/** All permissions of these commands, by identifier. */
export function permissionsOfAll(registry: CommandRegistry): Map<string, Permission[]> {
  const permissions = new Map<string, Permission[]>([...CORE_SETS].map(set => [set, []]))
  const add = (identifier: string, permission: Permission): void => {
    const known = permissions.get(identifier)
    if (known) known.push(permission)
    else permissions.set(identifier, [permission])
  }
  for (const command of registry.values()) {
    add(command.allow, { effect: 'allow', command })
    add(command.deny, { effect: 'deny', command })
  }
  return permissions
}

/** @throws BusError `InvalidParams` for a permission that nothing here has, with the nearest one that is. */
export function permissionsIn(capability: Capability, known: ReadonlyMap<string, Permission[]>): Permission[] {
  return capability.permissions.flatMap(entry => {
    const identifier = typeof entry === 'string' ? entry : entry.identifier
    const found = known.get(identifier)
    if (found) return found
    const where = `capability ${JSON.stringify(capability.identifier)}`
    throw new BusError(
      'InvalidParams',
      `${where}: unknown permission ${JSON.stringify(identifier)}${didYouMean(identifier, known.keys())}`,
    )
  })
}
