// Names: identifiers of permissions (`allow-greet` of the app, `fs:allow-read` of a plugin, `core:event:allow-emit` of a core plugin), methods
// of commands, and globs of labels.
import { APP_KEY, type CommandIdentity, type PermissionFileSource } from './types.js'
import { Glob } from '@sallyport/paths/internal/glob'
import { BusError, describeThrown } from '@sallyport/protocol/internal/errors'

export interface PermissionName {
  /** `fs`, `core:event`, `core`, or `APP_KEY`. */
  readonly key: string
  /** `allow-read`, `default`. */
  readonly name: string
}

/** Returns the generated permissions of a command, where `_` becomes `-`, as in Tauri. */
export function getPermissions(name: string, plugin?: string): { allow: string; deny: string } {
  const prefix = plugin === undefined ? '' : `${plugin}:`
  const suffix = name.replaceAll('_', '-')
  return { allow: `${prefix}allow-${suffix}`, deny: `${prefix}deny-${suffix}` }
}

/** Splits at the first colon, or at the second one after `core:`. */
export function splitIdentifier(identifier: string): PermissionName {
  const core = identifier.startsWith('core:') ? identifier.indexOf(':', 5) : -1
  const end = core < 0 ? identifier.indexOf(':') : core
  return end < 0
    ? { key: APP_KEY, name: identifier }
    : { key: identifier.slice(0, end), name: identifier.slice(end + 1) }
}

export const joinIdentifier = ({ key, name }: PermissionName): string => (key === APP_KEY ? name : `${key}:${name}`)

export const describeAclKey = (key: string): string => (key === APP_KEY ? 'app manifest' : key)

/** Returns the method of a command: `greet`, `plugin:fs|read_file`. */
export function getMethod(key: string, command: string): string {
  if (key === APP_KEY) return command
  return `plugin:${key.startsWith('core:') ? key.slice(5) : key}|${command}`
}

/** Splits a method: `plugin:fs|read_file` is the command `read_file` of the plugin `fs`, `greet` one of the app. */
export function splitMethod(method: string): { plugin: string | undefined; name: string } {
  const [, plugin, name = method] = /^plugin:([^|]*)\|(.*)$/s.exec(method) ?? []
  return { plugin, name }
}

/** Returns Tauri's reason to refuse an identifier that no permission can have, or `undefined`. */
export function explainMalformed(identifier: string): string | undefined {
  if (identifier.startsWith('tauri-plugin-')) return 'identifiers cannot start with tauri-plugin-'
  if (identifier.length > 116) return `identifiers cannot be longer than 116, found ${identifier.length}`
  const parts = identifier.split(':')
  if (parts.at(-1) === '' && parts.length > 1) return 'identifiers cannot have a prefix without a base'
  if (identifier.endsWith('-')) return 'identifiers cannot have a trailing hyphen'
  if (parts.length > 2 && parts[0] !== 'core') return "identifiers can only include a single separator ':'"
  if (parts.every(part => /^[a-z0-9]+(-[a-z0-9]+)*$/i.test(part))) return undefined
  return 'identifiers can only include lowercase ASCII, hyphens which are not leading or trailing, and a single colon if using a prefix'
}

// The part of a core module that the authority reads: names of commands, and permission files of plugins.

/** A `CoreDefinition`, reduced to what the ACL reads. */
export interface CoreModule {
  readonly commands?: object
  readonly plugins?: readonly {
    readonly name: string
    readonly commands?: object
    readonly permissions?: readonly unknown[]
    readonly checkScope?: (value: unknown) => void
  }[]
}

/** Tauri's core plugins that draw. Core has only their commands that list windows; an app can define the others. */
const GUI_PLUGINS: ReadonlySet<string> = new Set(['window', 'webview', 'menu', 'tray', 'image'])

export const isGuiPlugin = (plugin: string): boolean => GUI_PLUGINS.has(plugin)

/** @param plugin `undefined` for a command of the app */
export function toCommandIdentity(name: string, plugin?: string): CommandIdentity {
  if (plugin === undefined) return { method: name, owner: 'app', ...getPermissions(name) }
  const permissions = getPermissions(name, isGuiPlugin(plugin) ? `core:${plugin}` : plugin)
  return { method: `plugin:${plugin}|${name}`, owner: 'plugin', ...permissions }
}

export const getCommandIdentities = ({ commands = {}, plugins = [] }: CoreModule): CommandIdentity[] => [
  ...Object.keys(commands).map(name => toCommandIdentity(name)),
  ...plugins.flatMap(plugin => Object.keys(plugin.commands ?? {}).map(name => toCommandIdentity(name, plugin.name))),
]

/** Returns the checks of scope values, by the name of their plugin. */
export const getScopeChecks = ({ plugins = [] }: CoreModule): ReadonlyMap<string, (value: unknown) => void> =>
  new Map(plugins.flatMap(({ name, checkScope }) => (checkScope ? [[name, checkScope] as const] : [])))

export function getPluginFiles({ plugins = [] }: CoreModule): PermissionFileSource[] {
  return plugins.flatMap(({ name, permissions = [] }) =>
    permissions.map((value, index) => ({ value, plugin: name, from: `plugin ${name}: permissions[${index}]` })),
  )
}

/** @throws {BusError} InvalidParams for a glob that Rust refuses as well */
export function createGlobMatcher(glob: string): (label: string) => boolean {
  try {
    const pattern = Glob.parseText(glob)
    return label => pattern.matchesText(label)
  } catch (cause) {
    throw new BusError('InvalidParams', `the glob ${JSON.stringify(glob)}: ${describeThrown(cause)}`, { cause })
  }
}
