// Resolves capabilities to everything that they allow and deny, for one label or for all.
import { didYouMean, isBusError } from '@sallyport/protocol/internal/errors'
import { isError } from '@sallyport/protocol/internal/util'
import { mistake, type Place } from '../shared/validate.js'
import {
  type AclDeps,
  type Catalogue,
  createCatalogue,
  Expansion,
  type GlobalScope,
  type ResolvedPermission,
  resolveEntry,
  type ScopeValues,
  type UnknownPermission,
} from './catalogue.js'
import { createGlobMatcher, PERMISSIONS_OF_ALL } from './identifier.js'
import { toCapability } from './schema.js'
import {
  type AclInput,
  type AllowList,
  APP_KEY,
  BUILT_IN,
  type Capability,
  type CapabilitySource,
  type CommandIdentity,
  type CommandScope,
  createScope,
  EMPTY_SCOPE,
  type PermissionEntry,
  type Scope,
  splitCapabilities,
} from './types.js'

export interface ResolvedCapability {
  readonly source: CapabilitySource
  readonly capability: Capability
  /** False on other platforms. */
  readonly isActive: boolean
  readonly permissions: readonly ResolvedPermission[]
  readonly globalScopes: readonly GlobalScope[]
  /** True if a glob matches, on every platform. */
  names(label: string): boolean
  /** False for `local: false` and on other platforms. */
  holdsFor(label: string): boolean
}

export interface ResolveOptions extends Pick<AclInput, 'platform'> {
  /** Unknown permissions that are ignored, with a warning: of plugins that are not here, or any of a plugin. */
  ignored: 'none' | 'absent' | 'any'
  catalogue: Catalogue
  commands: readonly CommandIdentity[]
  absent: Set<string>
  allowLists: Map<string, ResolvedCapability>
  warn(text: string): void
  scopeChecks?: AclDeps['scopeChecks'] | undefined
}

/** @throws {BusError} InvalidParams with the place of the mistake */
export function resolveCapability(source: CapabilitySource, options: ResolveOptions): ResolvedCapability {
  const capability = toCapability(source)
  const { identifier, local = true, windows = [], webviews = [] } = capability
  const { catalogue, platform } = options
  if (windows.length + webviews.length === 0) {
    const text = `capability ${JSON.stringify(identifier)} applies to no frontend. Add its labels, as in "windows": ["main"]`
    const error = mistake(source, '', text)
    if (source.isOption) throw error
    options.warn(error.message)
  }
  const globs = [...createMatchers(source, 'windows', windows), ...createMatchers(source, 'webviews', webviews)]
  const isActive = isFor(capability, platform)
  const entries = capability.permissions.map((entry, index) => {
    const member = `permissions[${index}]${typeof entry === 'string' ? '' : '.identifier'}`
    const name = typeof entry === 'string' ? entry : entry.identifier
    const { permissions: expanded, unknown } = new Expansion(catalogue).expand(name)
    if (isActive) refuseUnknown(unknown, source, member, options, `capability ${JSON.stringify(identifier)}: `)
    if (isActive && unknown.length + expanded.length === 0) warnIfDefault(name, source, member, options)
    const inForce = expanded.filter(({ permission }) => isFor(permission, platform))
    const resolved = resolveEntry(entry, inForce)
    if (isActive) checkScopes(resolved, source, `permissions[${index}]`, options)
    return resolved
  })
  const names = (label: string): boolean => globs.some(matches => matches(label))
  return {
    source,
    capability,
    isActive,
    permissions: entries.flatMap(entry => entry.permissions),
    globalScopes: entries.flatMap(entry => entry.globalScopes),
    names,
    holdsFor: label => isActive && local && names(label),
  }
}

/** Shows each value of the scopes to the plugin that it is for. @throws {BusError} InvalidParams if the plugin refuses one */
function checkScopes(
  { permissions, globalScopes }: ReturnType<typeof resolveEntry>,
  source: Place,
  member: string,
  { scopeChecks }: ResolveOptions,
): void {
  for (const { key, scope } of [...permissions, ...globalScopes]) {
    const check = scopeChecks?.get(key)
    if (!check || !scope) continue
    try {
      for (const value of [...scope.allow, ...scope.deny]) check(value)
    } catch (error) {
      throw mistake(
        source,
        member,
        `invalid scope for plugin ${key}: ${isError(error) ? error.message : String(error)}`,
      )
    }
  }
}

/** Lists of `allow` that are kept: most runs of a bus have the same one. */
const MAX_ALLOW_LISTS = 16

/** Resolves `allow` of a frontend to a capability for its label. @throws {BusError} InvalidParams for an unknown entry */
export function resolveAllowList(label: string, list: AllowList, options: ResolveOptions): ResolvedCapability {
  // Scopes can have values that JSON does not tell apart.
  if (!list.entries.every(entry => typeof entry === 'string')) return resolveList(label, list, options)
  const { allowLists } = options
  const key = JSON.stringify([list.from, list.entries])
  const known = allowLists.get(key) ?? resolveList(label, list, options)
  if (allowLists.size >= MAX_ALLOW_LISTS && !allowLists.has(key)) allowLists.clear()
  allowLists.set(key, known)
  const capability = { ...known.capability, identifier: getIdentifier(label), windows: [label] }
  const names = (other: string): boolean => other === label
  return { ...known, capability, names, holdsFor: names }
}

const getIdentifier = (label: string): string => `frontends.${label}.allow`

function resolveList(label: string, { entries, from }: AllowList, options: ResolveOptions): ResolvedCapability {
  const permissions = entries.flatMap((entry, index): PermissionEntry[] => {
    if (entry === ALL) return []
    const { permission, ...scope } = typeof entry === 'string' ? { permission: entry } : entry
    const member = typeof entry === 'string' ? '' : '.permission'
    const identifier = findIdentifier(permission, { from: `${from}[${index}]${member}` }, options)
    if (identifier === undefined) return []
    return [typeof entry === 'string' ? identifier : { identifier, ...scope }]
  })
  const hasAll = entries.includes(ALL)
  if (hasAll) permissions.push('core:default')
  const value = { identifier: getIdentifier(label), windows: [label], permissions }
  const resolved = resolveCapability({ value, from }, options)
  return hasAll ? withAppCommands(resolved, options) : resolved
}

/** Returns the identifier of a permission, or of the permission that allows a command. @throws {BusError} InvalidParams for an unknown name */
function findIdentifier(name: string, place: Place, options: ResolveOptions): string | undefined {
  const command = options.commands.find(({ method }) => method === name)
  if (command) return command.allow
  const names = options.commands.map(({ method }) => method)
  const sameName = names.find(each => each.endsWith(`|${name.split('|').at(-1)}`))
  const [isPluginCommand, hint] = [name.startsWith('plugin:'), didYouMean(sameName ?? name, names)]
  const isCommand = isPluginCommand || hint || !/:|^(allow|deny)-/.test(name)
  const text = isCommand && `unknown command or permission ${JSON.stringify(name)}${hint}`
  if (text && isPluginCommand) throw mistake(place, '', text)
  const { permissions: expanded, unknown } = new Expansion(options.catalogue).expand(name)
  const described = unknown.map(each => ({ ...each, text: text || each.text }))
  refuseUnknown(described, place, '', options)
  if (unknown.length + expanded.length === 0) warnIfDefault(name, place, '', options)
  return unknown.length > 0 || expanded.length === 0 ? undefined : name
}

/** In `allow`: every command of the app, and `core:default`. */
const ALL = '*'

function withAppCommands(resolved: ResolvedCapability, { commands }: ResolveOptions): ResolvedCapability {
  const allow = commands.filter(({ owner }) => owner === 'app').map(({ method }) => method)
  const permission = { identifier: ALL, key: APP_KEY, allow, deny: [], scope: undefined }
  return { ...resolved, permissions: [...resolved.permissions, permission] }
}

/** Checks the permissions that the sets of permission files name, so that a mistake is found at the start. */
function checkSets(options: ResolveOptions): void {
  for (const { source, key, file } of options.catalogue.files) {
    const sets = (file.set ?? []).map((set, index) => ({ ...set, at: `set[${index}]` }))
    if (file.default) sets.unshift({ ...file.default, identifier: 'default', at: 'default' })
    for (const { identifier, permissions, at } of sets) {
      permissions.forEach((name, index) => {
        const { unknown } = new Expansion(options.catalogue).expandSet({ identifier, permissions: [name] }, key)
        refuseUnknown(unknown, source, `${at}.permissions[${index}]`, options)
      })
    }
  }
}

/** Tauri ignores a scope outside of a permission, which an official plugin has. */
function warnOfLooseScopes({ catalogue, warn }: ResolveOptions): void {
  for (const { source, file } of catalogue.files) {
    if (!('scope' in file)) continue
    const text =
      'ignored, because it belongs to no permission. Write [[permission.scope.allow]] or [[permission.scope.deny]]'
    warn(mistake(source, 'scope', text).message)
  }
}

/** Tauri's files name a plugin's `default`, and a plugin written for a test often has none. */
function warnIfDefault(name: string, place: Place, member: string, { warn }: ResolveOptions): void {
  const text = `${JSON.stringify(name)} allows nothing, because no default permissions are defined. Name permissions of commands`
  if (/(?:^|:)default$/.test(name)) warn(mistake(place, member, text).message)
}

/** Throws for the first name that is a mistake, and warns of those that another core can have: once of a plugin that is not here. */
function refuseUnknown(
  unknown: readonly UnknownPermission[],
  place: Place,
  member: string,
  options: ResolveOptions,
  subject = '',
): void {
  const { ignored: which, absent } = options
  for (const { text, plugin, isHere } of unknown) {
    const isIgnored = which === 'any' || (which === 'absent' && !isHere)
    if (plugin === undefined || !isIgnored) throw mistake(place, member, subject + text)
    if (!absent.has(plugin)) {
      absent.add(plugin)
      const ignored = `permissions of the plugin ${plugin} are ignored, because this core does not have it`
      options.warn(mistake(place, member, subject + ignored).message)
    }
  }
}

function createMatchers(source: Place, member: string, globs: readonly string[]): ((label: string) => boolean)[] {
  return globs.map((glob, index) => {
    try {
      return createGlobMatcher(glob)
    } catch (error) {
      throw isBusError(error) ? mistake(source, `${member}[${index}]`, error.message) : error
    }
  })
}

const isFor = ({ platforms }: Pick<Capability, 'platforms'>, platform: AclInput['platform']): boolean =>
  platforms?.includes(platform) ?? true

/** @throws {BusError} InvalidParams if a permission file or manifest is invalid */
export function getResolveOptions(
  deps: AclDeps,
  ignored: ResolveOptions['ignored'] = deps.acl.isTauriProject ? 'absent' : 'none',
): ResolveOptions {
  const { platform } = deps.acl
  const commands = [...deps.commands]
  const catalogue = createCatalogue({ ...deps, commands })
  const { warn, scopeChecks } = deps
  const absent = new Set<string>()
  const options = {
    ...{ catalogue, commands, ignored, platform, absent, warn, scopeChecks },
    allowLists: new Map<string, ResolvedCapability>(),
  }
  checkSets(options)
  warnOfLooseScopes(options)
  return options
}

/** @throws {BusError} InvalidParams if a capability is invalid or two have the same identifier */
export function resolveAll(sources: readonly CapabilitySource[], options: ResolveOptions): ResolvedCapability[] {
  return sortCapabilities(sources.flatMap(splitCapabilities).map(source => resolveCapability(source, options)))
}

/** Sorts by identifier, as Tauri does, so that the order in which files are read does not matter. */
export function sortCapabilities(capabilities: readonly ResolvedCapability[]): ResolvedCapability[] {
  const known = new Map<string, ResolvedCapability>()
  for (const each of capabilities) {
    const { identifier } = each.capability
    const first = known.get(identifier)
    known.set(identifier, each)
    if (!first) continue
    const place = first.source.from === each.source.from ? '' : `: in ${first.source.from}`
    throw mistake(each.source, 'identifier', `capability with identifier \`${identifier}\` already exists${place}`)
  }
  return capabilities.toSorted(({ capability: a }, { capability: b }) => (a.identifier < b.identifier ? -1 : 1))
}

export interface Grant {
  readonly capability: string
  readonly permission: string
  readonly scope: ScopeValues | undefined
}

/** The rights of one label: everything that the capabilities that apply to it allow and deny. */
export interface Access {
  readonly allowed: ReadonlyMap<string, readonly Grant[]>
  readonly denied: ReadonlyMap<string, readonly Grant[]>
  /** The global scope of each plugin, from permissions that name no command. */
  readonly global: ReadonlyMap<string, Scope>
}

export function getAccess(label: string, capabilities: readonly ResolvedCapability[]): Access {
  return toAccess(capabilities.filter(capability => capability.holdsFor(label)))
}

export function toAccess(capabilities: readonly ResolvedCapability[]): Access {
  const [allowed, denied] = [new Map<string, Grant[]>(), new Map<string, Grant[]>()]
  const global = new Map<string, ScopeValues[]>()
  for (const { capability, permissions, globalScopes } of capabilities) {
    for (const { identifier, scope, allow, deny } of permissions) {
      const grant = { capability: capability.identifier, permission: identifier, scope }
      for (const command of allow) append(allowed, command, grant)
      for (const command of deny) append(denied, command, grant)
    }
    for (const { key, scope } of globalScopes) append(global, key, scope)
  }
  return { allowed, denied, global: new Map([...global].map(([key, scopes]) => [key, getScope(scopes)])) }
}

/** Returns the scope of a command with these grants. Frozen, because every call receives the same object. */
export function getCommandScope(grants: readonly Grant[], global: Scope = EMPTY_SCOPE.global): CommandScope {
  // Permissions of one entry share their scope.
  return Object.freeze({ ...getScope([...new Set(grants.flatMap(({ scope }) => scope ?? []))]), global })
}

function getScope(scopes: readonly ScopeValues[]): Scope {
  if (scopes.length === 0) return EMPTY_SCOPE.global
  const [allow, deny] = [scopes.flatMap(scope => scope.allow), scopes.flatMap(scope => scope.deny)]
  return createScope(allow, deny)
}

function append<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}

export interface BuiltInCapabilities {
  readonly everyone: readonly ResolvedCapability[]
  /** For trusted code that no capability names, and that has no `allow`. */
  readonly trusted: ResolvedCapability
}

/** In a Tauri project all code has the same rights, as in Tauri: app commands need a permission only if the app defines some. */
export function createBuiltIns({ isTauriProject }: AclInput, options: ResolveOptions): BuiltInCapabilities {
  const resolve = (identifier: string, permissions: readonly string[]): ResolvedCapability =>
    resolveCapability({ value: { identifier, windows: ['*'], permissions }, from: BUILT_IN }, options)
  const base = resolve(BUILT_IN, PERMISSIONS_OF_ALL)
  if (!isTauriProject) {
    return { everyone: [base], trusted: withAppCommands(resolve('(trusted code)', ['core:default']), options) }
  }
  const isOpen = options.catalogue.plugins.get(APP_KEY)?.described !== true
  const app = withAppCommands(resolve('(app without permissions)', []), options)
  return { everyone: isOpen ? [base, app] : [base], trusted: base }
}
