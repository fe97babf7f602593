// One command of a plugin that core itself has: as Tauri's API calls it, with Tauri's permission.
import { permissionsOf } from '../authority/identifier.js'
import type { RunnableCommand } from '../commands.js'
import type { Call } from '../call.js'
import type { NamedArguments } from '../invalid-args.js'

export type CoreCommandRun = (args: NamedArguments, call: Call, method: string) => unknown

/** `plugin:path|join`, allowed by `core:path:allow-join`. `run` is given the method as well, for error texts. */
export function coreCommand(plugin: string, name: string, run: CoreCommandRun): RunnableCommand {
  const method = `plugin:${plugin}|${name}`
  return {
    method,
    owner: 'core',
    ...permissionsOf(name, `core:${plugin}`),
    run: (args, call) => run(args as NamedArguments, call, method),
  }
}
