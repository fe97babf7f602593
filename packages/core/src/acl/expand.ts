// Expands the entry of a capability to the permissions behind its name, and resolves them to commands and their scope. Sets hold
// permissions, other sets, and those of other plugins.
import type { Catalogue } from './catalogue.js'
import { describeAclKey, getMethod, joinIdentifier, explainMalformed, splitIdentifier } from './identifier.js'
import type { PermissionName } from './identifier.js'
import { suggestPermission } from './suggest.js'
import { APP_KEY, type PermissionDefinition, type PermissionEntry, type PermissionSetDefinition } from './types.js'

export interface ExpandedPermission extends PermissionName {
  readonly permission: PermissionDefinition
}

/** A name that no permission or set has. */
export interface UnknownPermission {
  /** Tauri's error text, with the nearest known name. */
  readonly text: string
  /** True if the plugin is not described here, so that the name can still be right. */
  readonly plausible: boolean
  /** The plugin, if it is not here. */
  readonly absent?: string
}

/** The permissions behind a name. Visits each permission once, however many sets contain it, so that sets can contain themselves. */
export class Expansion {
  readonly unknown: UnknownPermission[] = []
  readonly #found = new Map<string, ExpandedPermission>()
  readonly #seen = new Set<PermissionSetDefinition>()
  readonly #catalogue: Catalogue

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue
  }

  get permissions(): readonly ExpandedPermission[] {
    return [...this.#found.values()]
  }

  expand(identifier: string): this {
    // The name of an app's command can contain a colon.
    const isApps = this.#catalogue.plugins.get(APP_KEY)?.permissions.has(identifier)
    this.#open(isApps ? { key: APP_KEY, name: identifier } : splitIdentifier(identifier))
    return this
  }

  expandSet(set: PermissionSetDefinition, key: string): this {
    if (this.#seen.has(set)) return this
    this.#seen.add(set)
    for (const identifier of set.permissions) {
      const split = splitIdentifier(identifier)
      // A bare name belongs to the same plugin.
      const isQualified = identifier.includes(':') && this.#catalogue.plugins.has(split.key)
      this.#open(isQualified ? split : { key, name: identifier }, set)
    }
    return this
  }

  #open(name: PermissionName, within?: PermissionSetDefinition): void {
    const plugin = this.#catalogue.plugins.get(name.key)
    // On a name clash Tauri resolves to the set in capabilities, but to the permission within sets.
    const permission = plugin?.permissions.get(name.name)
    const set = permission && within ? undefined : plugin?.sets.get(name.name)
    if (plugin && name.name === 'default') {
      if (plugin.defaultSet) this.expandSet(plugin.defaultSet, name.key)
    } else if (set) this.expandSet(set, name.key)
    else if (permission) this.#found.set(joinIdentifier(name), { ...name, permission })
    else this.unknown.push(describeUnknown(name, within, this.#catalogue))
  }
}

function describeUnknown(
  name: PermissionName,
  within: PermissionSetDefinition | undefined,
  catalogue: Catalogue,
): UnknownPermission {
  const identifier = within ? name.name : joinIdentifier(name)
  const hint = suggestPermission(name, catalogue)
  const wrong = explainMalformed(identifier)
  if (wrong) return { text: `${JSON.stringify(identifier)}: ${wrong}${hint}`, plausible: false }
  const plugin = catalogue.plugins.get(name.key)
  if (within) {
    const text = `permission ${name.name} not found from set ${within.identifier}${hint}`
    if (!name.name.includes(':')) return { text, plausible: false }
    return { text, plausible: true, absent: splitIdentifier(name.name).key }
  }
  if (plugin) {
    const text = `unknown permission ${name.name} for ${describeAclKey(name.key)}${hint}`
    return { text, plausible: !plugin.described && identifier.includes(':') }
  }
  const keys = [...catalogue.plugins.keys()].toSorted().filter(key => key !== APP_KEY)
  const text = `unknown ACL for ${name.key}, expected one of ${keys.join(', ')}${hint}`
  return { text, plausible: true, absent: name.key }
}

/** The values of a scope. Frozen, because handlers receive them. */
export interface ScopeValues {
  readonly allow: readonly unknown[]
  readonly deny: readonly unknown[]
}

export type GlobalScope = { readonly key: string; readonly scope: ScopeValues }

export interface ResolvedPermission {
  readonly identifier: string
  readonly key: string
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  /** Shared by everything that one entry of a capability gives to one plugin. */
  readonly scope: ScopeValues | undefined
}

type ResolvedEntry = { permissions: ResolvedPermission[]; globalScopes: GlobalScope[] }

/**
 * Resolves one entry of a capability. The permissions of a set in one plugin are merged, as in Tauri's snapshots: the set's scope is the
 * scope of its commands, and the plugin's global scope only if the set names no command. (Tauri's releases since 2.0 make the set's
 * scope global, which widens every other command.)
 */
export function resolveEntry(entry: PermissionEntry, expanded: readonly ExpandedPermission[]): ResolvedEntry {
  const resolved: ResolvedEntry = { permissions: [], globalScopes: [] }
  for (const key of new Set(expanded.map(each => each.key))) {
    const members = expanded.filter(each => each.key === key)
    // The capability's part of the scope comes first, as in Tauri.
    const ownScope = typeof entry === 'string' ? undefined : entry
    const scope = mergeScopes([ownScope, ...members.map(({ permission }) => permission.scope)])
    const isGlobal = !members.some(namesCommand)
    // A denied value without a command is denied to every command, in a set too.
    const unnamed = members.filter(each => !namesCommand(each))
    const denied = mergeScopes(unnamed.map(({ permission }) => ({ deny: permission.scope?.deny ?? [] })))
    const global = isGlobal ? scope : denied?.deny.length ? denied : undefined
    if (global) resolved.globalScopes.push({ key, scope: global })
    for (const { permission, name } of members) {
      const getMethods = (names: readonly string[] = []): string[] => names.map(command => getMethod(key, command))
      const [allow, deny] = [getMethods(permission.commands?.allow), getMethods(permission.commands?.deny)]
      const identifier = joinIdentifier({ key, name })
      resolved.permissions.push({ identifier, key, allow, deny, scope: isGlobal ? undefined : scope })
    }
  }
  return resolved
}

type PermissionScope = Exclude<PermissionEntry, string> | PermissionDefinition['scope']

function namesCommand({ permission: { commands } }: ExpandedPermission): boolean {
  return (commands?.allow?.length ?? 0) + (commands?.deny?.length ?? 0) > 0
}

/** Returns a copy of all lists, or `undefined` if no scope has a list, empty or not. */
function mergeScopes(scopes: readonly PermissionScope[]): ScopeValues | undefined {
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
