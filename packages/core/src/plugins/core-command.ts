// One built-in command, with the method and the permission that Tauri gives it.
import { getPermissions } from '../acl/identifier.js'
import type { NamedArguments } from '../rpc/arguments.js'
import type { Call } from '../rpc/call-table.js'
import type { RunnableCommand } from '../rpc/registry.js'

export type CoreCommandRun = (args: NamedArguments, call: Call, method: string) => unknown

/** Creates `plugin:path|join`, allowed by `core:path:allow-join`. `run` also receives the method, for error texts. */
export function coreCommand(plugin: string, name: string, run: CoreCommandRun): RunnableCommand {
  const method = `plugin:${plugin}|${name}`
  return {
    method,
    owner: 'core',
    ...getPermissions(name, `core:${plugin}`),
    run: (args, call) => run(args as NamedArguments, call, method),
  }
}
