// What the host asks of core over its own link, as commands. Frontends do not have them: to them their names are unknown.
import type { Authority } from './authority/authority.js'
import type { RunnableCommand } from './commands.js'

/** The commands behind the methods of `Bus` that change what frontends may do. */
export const HOST_METHOD = {
  addCapability: 'plugin:acl|add_capability',
  removeCapability: 'plugin:acl|remove_capability',
} as const

interface CapabilityArguments {
  capability?: unknown
  identifier?: unknown
}

export function createHostCommands(authority: Authority): RunnableCommand[] {
  const command = (method: string, run: (args: CapabilityArguments) => unknown): RunnableCommand => ({
    method,
    owner: 'core',
    allow: '',
    deny: '',
    run: run as RunnableCommand['run'],
  })
  return [
    command(HOST_METHOD.addCapability, ({ capability }) =>
      authority.add({ value: capability, from: 'bus.addCapability' }),
    ),
    command(HOST_METHOD.removeCapability, ({ identifier }) => authority.remove(String(identifier))),
  ]
}
