// The names of permissions: `allow-greet` of the app, `fs:allow-read` of a plugin, `core:event:allow-emit` of one of Tauri's.
import { APP_KEY, type CommandName, type PermissionFileSource } from './types.js'

export interface PermissionName {
  /** `fs`, `core:event`, `core`, or `APP_KEY`. */
  readonly key: string
  /** `allow-read`, `default`. */
  readonly name: string
}

/** Those that are generated for a command, as Tauri has them: `_` becomes `-`. */
export function getPermissions(name: string, plugin?: string): { allow: string; deny: string } {
  const prefix = plugin === undefined ? '' : `${plugin}:`
  const suffix = name.replaceAll('_', '-')
  return { allow: `${prefix}allow-${suffix}`, deny: `${prefix}deny-${suffix}` }
}

/** The first colon ends a plugin's name; after `core:` the second does. */
export function splitIdentifier(identifier: string): PermissionName {
  const core = identifier.startsWith('core:') ? identifier.indexOf(':', 5) : -1
  const end = core < 0 ? identifier.indexOf(':') : core
  return end < 0
    ? { key: APP_KEY, name: identifier }
    : { key: identifier.slice(0, end), name: identifier.slice(end + 1) }
}

export const joinIdentifier = ({ key, name }: PermissionName): string => (key === APP_KEY ? name : `${key}:${name}`)

/** What error texts call it, as Tauri's do. */
export const describeAclKey = (key: string): string => (key === APP_KEY ? 'app manifest' : key)

/** The name that a command of this plugin is called by. */
export function getMethod(key: string, command: string): string {
  if (key === APP_KEY) return command
  return `plugin:${key.startsWith('core:') ? key.slice(5) : key}|${command}`
}

/** Tauri's reason to refuse an identifier that can be no permission's, whatever is defined. */
export function malformed(identifier: string): string | undefined {
  if (identifier.startsWith('tauri-plugin-')) return 'identifiers cannot start with tauri-plugin-'
  if (identifier.length > 116) return `identifiers cannot be longer than 116, found ${identifier.length}`
  const parts = identifier.split(':')
  if (parts.at(-1) === '' && parts.length > 1) return 'identifiers cannot have a prefix without a base'
  if (identifier.endsWith('-')) return 'identifiers cannot have a trailing hyphen'
  if (parts.length > 2 && parts[0] !== 'core') return "identifiers can only include a single separator ':'"
  if (parts.every(part => /^[a-z0-9]+(-[a-z0-9]+)*$/i.test(part))) return undefined
  return 'identifiers can only include lowercase ASCII, hyphens which are not leading or trailing, and a single colon if using a prefix'
}

// What the authority takes from a core module, none of which has to run: the names of its commands, and the permissions that
// its plugins bring.

/** A `CoreDefinition`, as far as it is read here. */
export interface CoreModule {
  readonly commands?: object
  readonly plugins?: readonly {
    readonly name: string
    readonly commands?: object
    readonly permissions?: readonly unknown[]
  }[]
}

export function getCommandNames({ commands = {}, plugins = [] }: CoreModule): CommandName[] {
  const apps = Object.keys(commands).map(name => ({ method: name, owner: 'app' as const, ...getPermissions(name) }))
  const others = plugins.flatMap(plugin =>
    Object.keys(plugin.commands ?? {}).map(name => ({
      method: `plugin:${plugin.name}|${name}`,
      owner: 'plugin' as const,
      ...getPermissions(name, plugin.name),
    })),
  )
  return [...apps, ...others]
}

/** As if each were a file. */
export function getPluginFiles({ plugins = [] }: CoreModule): PermissionFileSource[] {
  return plugins.flatMap(({ name, permissions = [] }) =>
    permissions.map((value, index) => ({ value, plugin: name, from: `plugin ${name}: permissions[${index}]` })),
  )
}
