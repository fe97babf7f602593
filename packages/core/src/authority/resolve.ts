// A capability, checked, and everything that it allows and denies. Which of it holds for a label is asked later.
import { isBusError } from '@sallyport/protocol'
import { APP_KEY, type AclInput, type CapabilitySource } from './acl.js'
import { toCapability } from './acl-schema.js'
import type { Capability, PermissionEntry } from './capability.js'
import type { Catalogue } from './catalogue.js'
import { mistake, type Place } from './check.js'
import { resolveEntry, type GlobalScope, type ResolvedPermission } from './entry.js'
import { expand, expandSet, type Lost } from './expand.js'
import { labelMatcher } from './label-glob.js'

export interface ResolvedCapability {
  readonly source: CapabilitySource
  readonly capability: Capability
  /** On this platform. */
  readonly isActive: boolean
  /** Even where it is not in force: then the app's author has begun to say who may call what. */
  readonly namesAppCommand: boolean
  readonly permissions: readonly ResolvedPermission[]
  readonly globalScopes: readonly GlobalScope[]
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
  const entries = capability.permissions.map((entry, index) => {
    const member = `permissions[${index}]${typeof entry === 'string' ? '' : '.identifier'}`
    // Elsewhere there may be other plugins.
    const lost = (what: Lost): void => {
      if (isActive) lose(source, member, `capability ${JSON.stringify(identifier)}: `, what, options)
    }
    const expanded = expand(identifierOf(entry), catalogue, lost)
    return resolveEntry(
      entry,
      expanded.filter(({ permission }) => isFor(permission, platform)),
    )
  })
  const permissions = entries.flatMap(entry => entry.permissions)
  return {
    source,
    capability,
    isActive,
    namesAppCommand: permissions.some(({ key, allow, deny }) => key === APP_KEY && allow.length + deny.length > 0),
    permissions,
    globalScopes: entries.flatMap(entry => entry.globalScopes),
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

function lose(
  place: Place,
  member: string,
  whose: string,
  { text, plausible, absent }: Lost,
  options: ResolveOptions,
): void {
  const isRefused = !plausible || options.unknownPermissions === 'error'
  const hint = isRefused && absent ? ` (unknownPermissions: 'warn' passes over plugins that are not here)` : ''
  const error = mistake(place, member, whose + text + hint)
  if (isRefused) throw error
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

const identifierOf = (entry: PermissionEntry): string => (typeof entry === 'string' ? entry : entry.identifier)

const isFor = ({ platforms }: Pick<Capability, 'platforms'>, platform: AclInput['platform']): boolean =>
  platforms?.includes(platform) ?? true
