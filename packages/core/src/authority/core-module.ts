// What the authority takes from a core module, none of which has to run: the names of its commands, and the permissions that
// its plugins bring.
import type { PermissionFileSource } from './acl.js'
import type { CommandName } from './acl.js'
import { permissionsOf } from './identifier.js'

/** A `CoreDefinition`, as far as it is read here. */
export interface CoreModule {
  readonly commands?: object
  readonly plugins?: readonly {
    readonly name: string
    readonly commands?: object
    readonly permissions?: readonly unknown[]
  }[]
}

export function commandNamesOf({ commands = {}, plugins = [] }: CoreModule): CommandName[] {
  const apps = Object.keys(commands).map(name => ({ method: name, owner: 'app' as const, ...permissionsOf(name) }))
  const others = plugins.flatMap(plugin =>
    Object.keys(plugin.commands ?? {}).map(name => ({
      method: `plugin:${plugin.name}|${name}`,
      owner: 'plugin' as const,
      ...permissionsOf(name, plugin.name),
    })),
  )
  return [...apps, ...others]
}

/** As if each were a file. */
export function pluginFilesOf({ plugins = [] }: CoreModule): PermissionFileSource[] {
  return plugins.flatMap(({ name, permissions = [] }) =>
    permissions.map((value, index) => ({ value, plugin: name, from: `plugin ${name}: permissions[${index}]` })),
  )
}
