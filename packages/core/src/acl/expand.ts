// From a permission's name to the permissions behind it: sets hold permissions, other sets, and those of other plugins.
import type { Catalogue } from './catalogue.js'
import {
  joinIdentifier,
  malformed,
  getMethod,
  describeAclKey,
  type PermissionName,
  splitIdentifier,
} from './identifier.js'
import { nearestPermission } from './suggest.js'
import { APP_KEY, type PermissionDefinition, type PermissionEntry, type PermissionSetDefinition } from './types.js'

export interface ExpandedPermission extends PermissionName {
  readonly permission: PermissionDefinition
}

/** A name that leads nowhere. */
export interface Lost {
  /** Tauri's text, with the nearest right name. */
  readonly text: string
  /** Its plugin is not described here, so the name may well be right. */
  readonly plausible: boolean
  /** Nothing here knows its plugin. */
  readonly absent?: true
}

/** What a capability's entry leads to. */
export function expand(
  identifier: string,
  catalogue: Catalogue,
  lost: (what: Lost) => void,
): readonly ExpandedPermission[] {
  const walk = new Walk(catalogue, lost)
  walk.open(inCapability(identifier, catalogue))
  return [...walk.found.values()]
}

/** Does a set of this plugin lead anywhere? */
export function expandSet(
  set: PermissionSetDefinition,
  key: string,
  catalogue: Catalogue,
  lost: (what: Lost) => void,
): void {
  new Walk(catalogue, lost).openSet(set, key)
}

/** Finds each permission once, however often sets lead to it; so sets that hold themselves do no harm. */
class Walk {
  readonly found = new Map<string, ExpandedPermission>()
  readonly #seen = new Set<PermissionSetDefinition>()
  readonly #catalogue: Catalogue
  readonly #lost: (what: Lost) => void

  constructor(catalogue: Catalogue, lost: (what: Lost) => void) {
    this.#catalogue = catalogue
    this.#lost = lost
  }

  open(name: PermissionName, within?: PermissionSetDefinition): void {
    const plugin = this.#catalogue.plugins.get(name.key)
    // Of one name, Tauri takes the set for a capability, the permission within a set.
    const permission = plugin?.permissions.get(name.name)
    const set = permission && within ? undefined : plugin?.sets.get(name.name)
    if (plugin && name.name === 'default') {
      if (plugin.defaultSet) this.openSet(plugin.defaultSet, name.key)
    } else if (set) this.openSet(set, name.key)
    else if (permission) this.found.set(joinIdentifier(name), { ...name, permission })
    else this.#lost(unknown(name, within, this.#catalogue))
  }

  openSet(set: PermissionSetDefinition, key: string): void {
    if (this.#seen.has(set)) return
    this.#seen.add(set)
    for (const inner of set.permissions) this.open(inSet(inner, key, this.#catalogue), set)
  }
}

/** An app's command may have a colon in its name. */
function inCapability(identifier: string, { plugins }: Catalogue): PermissionName {
  const isApps = plugins.get(APP_KEY)?.permissions.has(identifier)
  return isApps ? { key: APP_KEY, name: identifier } : splitIdentifier(identifier)
}

/** Within a set a bare name is one of the same plugin. */
function inSet(identifier: string, key: string, { plugins }: Catalogue): PermissionName {
  const split = splitIdentifier(identifier)
  return identifier.includes(':') && plugins.has(split.key) ? split : { key, name: identifier }
}

function unknown(name: PermissionName, within: PermissionSetDefinition | undefined, catalogue: Catalogue): Lost {
  const identifier = within ? name.name : joinIdentifier(name)
  const hint = nearestPermission(name, catalogue)
  const wrong = malformed(identifier)
  if (wrong) return { text: `${JSON.stringify(identifier)}: ${wrong}${hint}`, plausible: false }
  const plugin = catalogue.plugins.get(name.key)
  if (within) {
    const text = `permission ${name.name} not found from set ${within.identifier}${hint}`
    return { text, plausible: name.name.includes(':') }
  }
  if (plugin) {
    const text = `unknown permission ${name.name} for ${describeAclKey(name.key)}${hint}`
    return { text, plausible: !plugin.described && identifier.includes(':') }
  }
  const keys = [...catalogue.plugins.keys()].toSorted().filter(key => key !== APP_KEY)
  const text = `unknown ACL for ${name.key}, expected one of ${keys.join(', ')}${hint}`
  return { text, plausible: true, absent: true }
}

// What one entry of a capability's permissions gives, and within which scope. As Tauri's snapshots have it, what a set leads to
// in one plugin is taken together: its scope is the scope of its commands, and the plugin's global scope only where it names no
// command. (Tauri's releases since 2.0 make the set's scope global, so that it widens every other command.)

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
    const scope = mergeScopes([typeof entry === 'string' ? undefined : entry, ...own.map(getScope)])
    const isGlobal = !own.some(namesCommand)
    // What is denied without a command is denied to every command, in a set too.
    const denied = mergeScopes(
      own.filter(each => !namesCommand(each)).map(each => ({ deny: getScope(each)?.deny ?? [] })),
    )
    const global = isGlobal ? scope : denied?.deny.length ? denied : undefined
    if (global) resolved.globalScopes.push({ key, scope: global })
    resolved.permissions.push(...own.map(each => resolvePermission(each, isGlobal ? undefined : scope)))
  }
  return resolved
}

type GivenScope = PermissionDefinition['scope']

const getScope = ({ permission }: ExpandedPermission): GivenScope => permission.scope

function namesCommand({ permission: { commands } }: ExpandedPermission): boolean {
  return (commands?.allow?.length ?? 0) + (commands?.deny?.length ?? 0) > 0
}

function resolvePermission(
  { permission, ...name }: ExpandedPermission,
  scope: ScopeValues | undefined,
): ResolvedPermission {
  const methods = (names: readonly string[] = []): string[] => names.map(command => getMethod(name.key, command))
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
