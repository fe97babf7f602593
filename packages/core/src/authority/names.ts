// The commands of a core module by name: enough to say who may call them, without running any.
import type { CoreDefinition } from '../define.js'
import type { CommandName } from './catalogue.js'
import { permissionsOf } from './identifier.js'

export function commandNamesOf({
  commands = {},
  plugins = [],
}: Pick<CoreDefinition, 'commands' | 'plugins'>): CommandName[] {
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
