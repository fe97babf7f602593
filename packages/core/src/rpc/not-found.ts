// The text of the error for an unknown command.
import { describeName } from '@sallyport/protocol/internal/errors'
import { isDevelopment } from '@sallyport/protocol/internal/util'
import { isGuiPlugin, splitMethod } from '../acl/identifier.js'
import { RUN_FUNCTION_METHOD } from '../contract/host-core.js'
import { CORE_COMMANDS } from '../acl/tauri-permissions.js'
import { didYouMean, MAX_NAME_LENGTH } from '../shared/suggest.js'
import type { CommandRegistry } from './runnable-command.js'

/** Returns Tauri's text for an unknown command, with its plugin, the reason for a GUI command, and a suggestion in development. */
export function describeNotFound(method: string, registry: CommandRegistry, params?: unknown): string {
  if (method === RUN_FUNCTION_METHOD) {
    const { name: missing } = Object(params) as { name?: unknown }
    return `The run has no function ${describeName(String(missing))}. Pass its "functions" to bus.resume, too`
  }
  const { plugin, name: fullName } = splitMethod(method)
  const name = fullName.slice(0, MAX_NAME_LENGTH)
  if (plugin === undefined) return `Command ${name} not found${suggest(method, registry.keys())}`
  const needsWindow = plugin === 'app' && name !== 'exit' && CORE_COMMANDS['app']!.others.includes(name)
  if (needsWindow || isGuiPlugin(plugin)) {
    return `Command ${name} not found: ${describeName(`${plugin}|${name}`)} is not available without a GUI`
  }
  const known = Array.from(registry.keys(), splitMethod)
  const commands = known.filter(other => other.plugin === plugin).map(other => other.name)
  if (commands.length > 0) return `Command ${name} of plugin ${plugin} not found${explainAbsence(name, commands)}`
  const plugins = known.flatMap(other => other.plugin ?? [])
  return `plugin ${plugin.slice(0, MAX_NAME_LENGTH)} not found${suggest(plugin, plugins)}`
}

const suggest = (name: string, names: Iterable<string>): string => (isDevelopment() ? didYouMean(name, names) : '')

/** Says what stands for a name that a plugin cannot have: tools of others are named as they like. */
function explainAbsence(name: string, commands: readonly string[]): string {
  const own = name.replaceAll(/[^A-Za-z0-9_.-]/g, '_')
  const other = commands.find(command => command.replaceAll('_', '-') === own.replaceAll('_', '-'))
  if (other === undefined) return suggest(name, commands)
  return own === name ? `: "${other}" has its permission` : `: its name here is "${other}"`
}
