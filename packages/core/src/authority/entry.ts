// What one entry of a capability's permissions gives, and within which scope. As Tauri's snapshots have it, what a set leads to
// in one plugin is taken together: its scope is the scope of its commands, and the plugin's global scope only where it names no
// command. (Tauri's releases since 2.0 make the set's scope global, so that it widens every other command.)
import type { PermissionDefinition } from './acl.js'
import type { PermissionEntry } from './capability.js'
import type { ExpandedPermission } from './expand.js'
import { joinIdentifier, methodOf } from './identifier.js'

/** Values of a scope; never changed, since handlers are given them. */
export interface ScopeValues {
  readonly allow: readonly unknown[]
  readonly deny: readonly unknown[]
}

export interface GlobalScope {
  /** The plugin's. */
  readonly key: string
  readonly scope: ScopeValues
}

export interface ResolvedPermission {
  /** `fs:allow-read-file` */
  readonly identifier: string
  readonly key: string
  /** The commands, by the names that they are called by. */
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  /** One object for all that the same entry of the capability gives the same plugin. */
  readonly scope: ScopeValues | undefined
}

interface ResolvedEntry {
  permissions: ResolvedPermission[]
  globalScopes: GlobalScope[]
}

export function resolveEntry(entry: PermissionEntry, expanded: readonly ExpandedPermission[]): ResolvedEntry {
  const resolved: ResolvedEntry = { permissions: [], globalScopes: [] }
  for (const key of new Set(expanded.map(each => each.key))) {
    const own = expanded.filter(each => each.key === key)
    // The capability's part of the scope comes first, as in Tauri.
    const scope = mergeScopes([typeof entry === 'string' ? undefined : entry, ...own.map(scopeOf)])
    const isGlobal = !own.some(namesCommand)
    // What is denied without a command is denied to every command, in a set too.
    const denied = mergeScopes(
      own.filter(each => !namesCommand(each)).map(each => ({ deny: scopeOf(each)?.deny ?? [] })),
    )
    const global = isGlobal ? scope : denied?.deny.length ? denied : undefined
    if (global) resolved.globalScopes.push({ key, scope: global })
    resolved.permissions.push(...own.map(each => resolvePermission(each, isGlobal ? undefined : scope)))
  }
  return resolved
}

type GivenScope = PermissionDefinition['scope']

const scopeOf = ({ permission }: ExpandedPermission): GivenScope => permission.scope

function namesCommand({ permission: { commands } }: ExpandedPermission): boolean {
  return (commands?.allow?.length ?? 0) + (commands?.deny?.length ?? 0) > 0
}

function resolvePermission(
  { permission, ...name }: ExpandedPermission,
  scope: ScopeValues | undefined,
): ResolvedPermission {
  const methods = (names: readonly string[] = []): string[] => names.map(command => methodOf(name.key, command))
  const { allow, deny } = permission.commands ?? {}
  return { identifier: joinIdentifier(name), key: name.key, allow: methods(allow), deny: methods(deny), scope }
}

/** Nothing where none of them has any list, empty or not. A copy, since what was given stays the giver's. */
function mergeScopes(scopes: readonly GivenScope[]): ScopeValues | undefined {
  if (!scopes.some(scope => scope?.allow ?? scope?.deny)) return undefined
  const allow = scopes.flatMap(scope => scope?.allow ?? [])
  const deny = scopes.flatMap(scope => scope?.deny ?? [])
  return deepFreeze(structuredClone({ allow, deny }))
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
  return value
}
