// A capability, checked, and everything that it allows and denies. Which of it holds for a label is asked later.
import { isBusError } from '@sallyport/protocol'
import { APP_KEY, type AclInput, type CapabilitySource, type PermissionDefinition } from './acl.js'
import { toCapability } from './acl-schema.js'
import type { Capability, PermissionEntry } from './capability.js'
import type { Catalogue } from './catalogue.js'
import { mistake, type Place } from './check.js'
import { expand, expandSet, type ExpandedPermission, type Lost } from './expand.js'
import { joinIdentifier, methodOf } from './identifier.js'
import { labelMatcher } from './label-glob.js'

/** Values of a scope; never changed, since handlers are given them. */
export interface ScopeValues {
  readonly allow: readonly unknown[]
  readonly deny: readonly unknown[]
}

export interface ResolvedPermission {
  /** The plugin that it is of: whose global scope it adds to, where it names no command. */
  readonly key: string
  /** `fs:allow-read-file` */
  readonly identifier: string
  /** The commands, by the names that they are called by. */
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly scope: ScopeValues | undefined
}

export interface ResolvedCapability {
  readonly source: CapabilitySource
  readonly capability: Capability
  /** On this platform. */
  readonly isActive: boolean
  /** Even where it is not in force: then the app's author has begun to say who may call what. */
  readonly namesAppCommand: boolean
  readonly permissions: readonly ResolvedPermission[]
  /** `local: false` and other platforms: for nobody. */
  holdsFor(label: string): boolean
}

export interface ResolveOptions extends Pick<AclInput, 'unknownPermissions' | 'platform'> {
  catalogue: Catalogue
  warn(text: string): void
}

/** @throws BusError `InvalidParams` for whatever is wrong in the source, with its place. */
export function resolveCapability(source: CapabilitySource, options: ResolveOptions): ResolvedCapability {
  const capability = toCapability(source)
  const { identifier, local = true, windows = [], webviews = [] } = capability
  const { catalogue, platform } = options
  const globs = [...matchers(source, 'windows', windows), ...matchers(source, 'webviews', webviews)]
  const isActive = isFor(capability, platform)
  const permissions = capability.permissions.flatMap((entry, index) => {
    const name = identifierOf(entry)
    const member = `permissions[${index}]${typeof entry === 'string' ? '' : '.identifier'}`
    // Elsewhere there may be other plugins.
    const lost = (what: Lost): void => {
      if (isActive) lose(source, member, `capability ${JSON.stringify(identifier)}: `, what, options)
    }
    const expanded = expand(name, catalogue, lost)
    return expanded.filter(({ permission }) => isFor(permission, platform)).map(each => resolvePermission(each, entry))
  })
  return {
    source,
    capability,
    isActive,
    namesAppCommand: permissions.some(({ key, allow, deny }) => key === APP_KEY && allow.length + deny.length > 0),
    permissions,
    holdsFor: label => isActive && local && globs.some(matches => matches(label)),
  }
}

/** The sets of permission files name permissions too; a wrong one is found at the start, not when a capability uses it. */
export function checkSets(options: ResolveOptions): void {
  for (const { source, key, file } of options.catalogue.files) {
    const own = file.default ? [{ identifier: 'default', permissions: file.default.permissions, at: 'default' }] : []
    const sets = (file.set ?? []).map((set, index) => ({ ...set, at: `set[${index}]` }))
    for (const { identifier, permissions, at } of [...own, ...sets]) {
      permissions.forEach((name, index) => {
        const lost = (what: Lost): void => lose(source, `${at}.permissions[${index}]`, '', what, options)
        expandSet({ identifier, permissions: [name] }, key, options.catalogue, lost)
      })
    }
  }
}

function lose(place: Place, member: string, whose: string, { text, plausible }: Lost, options: ResolveOptions): void {
  const error = mistake(place, member, whose + text)
  if (!plausible || options.unknownPermissions === 'error') throw error
  options.warn(error.message)
}

function matchers(source: Place, member: string, globs: readonly string[]): ((label: string) => boolean)[] {
  return globs.map((glob, index) => {
    try {
      return labelMatcher(glob)
    } catch (error) {
      throw isBusError(error) ? mistake(source, `${member}[${index}]`, error.message) : error
    }
  })
}

/** The capability's own part of the scope comes first, as in Tauri. */
function resolvePermission({ permission, ...name }: ExpandedPermission, entry: PermissionEntry): ResolvedPermission {
  const methods = (names: readonly string[] = []): string[] => names.map(command => methodOf(name.key, command))
  return {
    key: name.key,
    identifier: joinIdentifier(name),
    allow: methods(permission.commands?.allow),
    deny: methods(permission.commands?.deny),
    scope: mergeScopes(typeof entry === 'string' ? undefined : entry, permission.scope),
  }
}

type GivenScope = Exclude<PermissionDefinition['scope'], undefined>

function mergeScopes(more: GivenScope = {}, own: GivenScope = {}): ScopeValues | undefined {
  if (!(more.allow ?? more.deny ?? own.allow ?? own.deny)) return undefined
  const allow = [...(more.allow ?? []), ...(own.allow ?? [])]
  const deny = [...(more.deny ?? []), ...(own.deny ?? [])]
  // A copy, since what was given stays the giver's.
  return deepFreeze(structuredClone({ allow, deny }))
}

const identifierOf = (entry: PermissionEntry): string => (typeof entry === 'string' ? entry : entry.identifier)

const isFor = ({ platforms }: Pick<Capability, 'platforms'>, platform: AclInput['platform']): boolean =>
  platforms?.includes(platform) ?? true

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
  return value
}
