// The text for a name that no command has: Tauri's, with the nearest name in development, and with the reason where Tauri has
// such a command and a bus can't.
import { describeName } from '@sallyport/protocol'
import type { CommandRegistry } from './commands.js'
import { didYouMean } from './guess.js'
import { shortName } from './invalid-args.js'
import { isDevelopment } from './mode.js'

/** Plugins of Tauri's that draw: of their commands only those that list the frontends are here. */
const OF_A_GUI: ReadonlySet<string> = new Set(['window', 'webview', 'menu', 'tray', 'image'])

const APP_COMMANDS_OF_A_GUI: ReadonlySet<string> = new Set([
  'app_show',
  'app_hide',
  'default_window_icon',
  'set_app_theme',
  'set_dock_visibility',
  'fetch_data_store_identifiers',
  'remove_data_store',
])

export function notFound(method: string, registry: CommandRegistry): string {
  const plugin = pluginOf(method)
  const name = cut(shortName(method))
  if (plugin === undefined) return `Command ${name} not found${hint(method, registry.keys())}`
  if (OF_A_GUI.has(plugin) || (plugin === 'app' && APP_COMMANDS_OF_A_GUI.has(name))) {
    return `Command ${name} not found: ${describeName(`${plugin}|${name}`)} means nothing without a GUI`
  }
  const commands = [...registry.keys()].filter(other => pluginOf(other) === plugin)
  if (commands.length > 0) return `Command ${name} not found${hint(name, commands.map(shortName))}`
  const plugins = [...registry.keys()].map(pluginOf).filter(other => other !== undefined)
  return `plugin ${cut(plugin)} not found${hint(plugin, plugins)}`
}

const pluginOf = (method: string): string | undefined => /^plugin:([^|]*)\|/.exec(method)?.[1]

const cut = (name: string): string => name.slice(0, 200)

const hint = (given: string, names: Iterable<string>): string => (isDevelopment ? didYouMean(given, names) : '')
