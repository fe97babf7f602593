// One command of a plugin that core itself has: as Tauri's API calls it, with Tauri's permission.
import { getPermissions } from '../acl/identifier.js'
import type { NamedArguments } from '../rpc/arguments.js'
import type { Call } from '../rpc/call.js'
import type { RunnableCommand } from '../rpc/registry.js'

export type CoreCommandRun = (args: NamedArguments, call: Call, method: string) => unknown

/** `plugin:path|join`, allowed by `core:path:allow-join`. `run` is given the method as well, for error texts. */
export function coreCommand(plugin: string, name: string, run: CoreCommandRun): RunnableCommand {
  const method = `plugin:${plugin}|${name}`
  return {
    method,
    owner: 'core',
    ...getPermissions(name, `core:${plugin}`),
    run: (args, call) => run(args as NamedArguments, call, method),
  }
}
