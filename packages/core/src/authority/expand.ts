// From a permission's name to the permissions behind it: sets hold permissions, other sets, and those of other plugins.
import { APP_KEY, type PermissionDefinition, type PermissionSetDefinition } from './acl.js'
import type { Catalogue } from './catalogue.js'
import { joinIdentifier, malformed, nameOfKey, splitIdentifier, type PermissionName } from './identifier.js'
import { nearestPermission } from './nearest.js'

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
    const text = `unknown permission ${name.name} for ${nameOfKey(name.key)}${hint}`
    return { text, plausible: !plugin.described && identifier.includes(':') }
  }
  const keys = [...catalogue.plugins.keys()].toSorted().filter(key => key !== APP_KEY)
  const text = `unknown ACL for ${name.key}, expected one of ${keys.join(', ')}${hint}`
  return { text, plausible: true, absent: true }
}
