// Plugins whose commands have handlers alone: callers can send them anything.
import { type CommandContext, plugin, type Plugin, type PluginDefinition } from '@sallyport/core'
import type { Args } from './args.js'

/** The content of a plugin, with its commands by name. */
interface Definition extends PluginDefinition<Readonly<Record<string, (args: Args, ctx: CommandContext) => unknown>>> {
  readonly permissions: Required<PluginDefinition>['permissions']
}

/** Defines a plugin of this package. */
export const createPlugin = <const Name extends string>(name: Name, definition: Definition): Plugin<Name> =>
  plugin(name, definition)
