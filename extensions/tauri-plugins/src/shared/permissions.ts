// Permissions of Tauri's official plugins, expanded from compact data, so that a capability can name each of them.
import type { PermissionFile } from '@sallyport/core'
import { OFFICIAL_PLUGINS } from './official-permissions.js'

export type Permission = NonNullable<PermissionFile['permission']>[number]
type PermissionSet = NonNullable<PermissionFile['set']>[number]

/** One plugin of Tauri's `acl-manifests.json`. */
export interface Manifest {
  default_permission: PermissionSet
  permissions: Record<string, Permission>
  permission_sets: Record<string, PermissionSet>
}

const split = (words = ''): string[] => words.split(' ').filter(Boolean)

/** Returns the permission file of an official plugin, with every permission and set that a capability can name. */
export function getPermissionFile(name: string): Required<PermissionFile> {
  const plugin = OFFICIAL_PLUGINS[name]
  if (!plugin) throw new Error(`${name} is not an official plugin`)
  const { permissions = {}, sets = {} } = plugin
  const others = Object.entries(permissions).map(([identifier, { commands, scope }]) => ({
    identifier,
    ...(commands !== undefined && { commands: { allow: split(commands) } }),
    ...(scope !== undefined && { scope: { allow: typeof scope === 'string' ? split(scope) : scope } }),
  }))
  return {
    default: { permissions: split(plugin.default) },
    permission: [
      ...split(plugin.commands).flatMap(getCommandPermissions),
      ...others,
      ...split(plugin.directories).flatMap(getDirectoryScopes),
    ],
    set: [
      ...Object.entries(sets).map(([identifier, words]) => ({ identifier, permissions: split(words) })),
      ...split(plugin.directories).flatMap(getDirectorySets),
    ],
  }
}

/** Returns the manifests of all official plugins, in the form of Tauri's `gen/schemas/acl-manifests.json`. */
export function createManifests(): Record<string, Manifest> {
  const byIdentifier = <T extends { identifier: string }>(list: readonly T[]): Record<string, T> =>
    Object.fromEntries(list.map(each => [each.identifier, each]))
  return Object.fromEntries(
    Object.keys(OFFICIAL_PLUGINS).map(name => {
      const { default: byDefault, permission, set } = getPermissionFile(name)
      const manifest = {
        default_permission: { identifier: 'default', permissions: byDefault.permissions },
        permissions: byIdentifier(permission),
        permission_sets: byIdentifier(set),
      }
      return [name, manifest]
    }),
  )
}

function getCommandPermissions(command: string): Permission[] {
  const suffix = command.replaceAll('_', '-')
  return [
    { identifier: `allow-${suffix}`, commands: { allow: [command] } },
    { identifier: `deny-${suffix}`, commands: { deny: [command] } },
  ]
}

function getDirectoryScopes(directory: string): Permission[] {
  const path = `$${directory.toUpperCase()}`
  return [
    { identifier: `scope-${directory}-recursive`, scope: { allow: [path, `${path}/**`] } },
    { identifier: `scope-${directory}`, scope: { allow: [path, `${path}/*`] } },
    { identifier: `scope-${directory}-index`, scope: { allow: [path] } },
  ]
}

function getDirectorySets(directory: string): PermissionSet[] {
  const all = `scope-${directory}-recursive`
  const sets = [
    ['read-recursive', 'read-all', all],
    ['write-recursive', 'write-all', all],
    ['meta-recursive', 'read-meta', all],
    ['read', 'read-all', `scope-${directory}`],
    ['write', 'write-all', `scope-${directory}`],
    ['meta', 'read-meta', `scope-${directory}-index`],
  ] as const
  return sets.map(([suffix, ...permissions]) => ({ identifier: `allow-${directory}-${suffix}`, permissions }))
}
