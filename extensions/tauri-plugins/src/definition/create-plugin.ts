// Plugins with the permissions of Tauri's, and commands that have handlers alone: callers can send them anything.
import { type CommandContext, plugin, type Plugin, type PluginDefinition } from '@sallyport/core'
import { getPermissionFile } from '../permissions/manifests.js'
import type { Args } from './args.js'

type Definition = PluginDefinition<Readonly<Record<string, (args: Args, ctx: CommandContext) => unknown>>>

/** Defines the plugin of Tauri that has this name. */
export const createPlugin = <const Name extends string>(
  name: Name,
  { permissions = [], ...definition }: Definition,
): Plugin<Name> => plugin(name, { ...definition, permissions: [getPermissionFile(name), ...permissions] })
