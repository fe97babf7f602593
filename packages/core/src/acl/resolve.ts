// A capability, checked, and everything that it allows and denies. Which of it holds for a label is asked later.
import { isBusError } from '@sallyport/protocol'
import { mistake, type Place } from '../shared/validate.js'
import { type Catalogue, createCatalogue } from './catalogue.js'
import {
  expand,
  expandSet,
  type GlobalScope,
  type Lost,
  type ResolvedPermission,
  resolveEntry,
  type ScopeValues,
} from './expand.js'
import { labelMatcher } from './label-glob.js'
import { toCapability } from './schema.js'
import { type CommandScope, createScope, EMPTY_SCOPE, type Scope } from './scope.js'
import { OPEN_COMMANDS } from './tauri-permissions.js'
import {
  type AclInput,
  APP_KEY,
  type Capability,
  type CapabilitySource,
  type CommandName,
  type Pattern,
  type PermissionEntry,
  type PermissionFileSource,
  splitCapabilities,
} from './types.js'

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
    const expanded = expand(getIdentifier(entry), catalogue, lost)
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
function checkSets(options: ResolveOptions): void {
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

const getIdentifier = (entry: PermissionEntry): string => (typeof entry === 'string' ? entry : entry.identifier)

const isFor = ({ platforms }: Pick<Capability, 'platforms'>, platform: AclInput['platform']): boolean =>
  platforms?.includes(platform) ?? true

// All permissions and all capabilities of a bus together.

export interface AclDeps {
  acl: AclInput
  commands: Iterable<CommandName>
  /** Permissions that the core module's plugins bring. */
  pluginFiles: readonly PermissionFileSource[]
  /** Told of what `unknownPermissions: 'warn'` passes over. */
  warn: (text: string) => void
}

/** @throws BusError `InvalidParams` for whatever is wrong in permission files and manifests */
export function getResolveOptions({ acl, commands, pluginFiles, warn }: AclDeps): ResolveOptions {
  const { unknownPermissions, platform } = acl
  const options = { catalogue: createCatalogue({ acl, commands, pluginFiles }), unknownPermissions, platform, warn }
  checkSets(options)
  return options
}

/** @throws BusError `InvalidParams` for whatever is wrong in capabilities, and for two of one identifier */
export function resolveAll(sources: readonly CapabilitySource[], options: ResolveOptions): ResolvedCapability[] {
  return inOrder(sources.flatMap(splitCapabilities).map(source => resolveCapability(source, options)))
}

/** By their identifiers, as Tauri has them, so that it does not matter which file is read first. */
export function inOrder(capabilities: readonly ResolvedCapability[]): ResolvedCapability[] {
  const known = new Map<string, ResolvedCapability>()
  for (const each of capabilities) {
    const { identifier } = each.capability
    const first = known.get(identifier)
    if (first) {
      const text = `capability with identifier \`${identifier}\` already exists: in ${first.source.from}`
      throw mistake(each.source, 'identifier', text)
    }
    known.set(identifier, each)
  }
  return [...known.values()].toSorted(({ capability: a }, { capability: b }) => (a.identifier < b.identifier ? -1 : 1))
}

// What all capabilities together give one label, with who gives it.

/** That a command is allowed or denied, and by what. */
export interface Grant {
  readonly capability: string
  readonly permission: string
  readonly scope: ScopeValues | undefined
}

export interface Access {
  readonly allowed: ReadonlyMap<string, readonly Grant[]>
  readonly denied: ReadonlyMap<string, readonly Grant[]>
  /** Each plugin's global scope, of the permissions that name no command. */
  readonly global: ReadonlyMap<string, Scope>
}

export function getAccess(label: string, capabilities: readonly ResolvedCapability[]): Access {
  return merge(capabilities.filter(capability => capability.holdsFor(label)))
}

/** Of these, whomever they hold for. */
export function merge(capabilities: readonly ResolvedCapability[]): Access {
  const [allowed, denied] = [new Map<string, Grant[]>(), new Map<string, Grant[]>()]
  const global = new Map<string, ScopeValues[]>()
  for (const { capability, permissions, globalScopes } of capabilities) {
    for (const permission of permissions) {
      const grant = { capability: capability.identifier, permission: permission.identifier, scope: permission.scope }
      for (const command of permission.allow) push(allowed, command, grant)
      for (const command of permission.deny) push(denied, command, grant)
    }
    for (const { key, scope } of globalScopes) push(global, key, scope)
  }
  return { allowed, denied, global: new Map([...global].map(([key, scopes]) => [key, getScope(scopes)])) }
}

/** Of a command that these allow, in a plugin with this global scope. The same objects go to every call: they are frozen. */
export function commandScope(grants: readonly Grant[], global: Scope = EMPTY_SCOPE.global): CommandScope {
  // Permissions of one entry share their scope.
  const scopes = new Set(grants.flatMap(({ scope }) => scope ?? []))
  return Object.freeze({ ...getScope([...scopes]), global })
}

function getScope(scopes: readonly ScopeValues[]): Scope {
  if (scopes.length === 0) return EMPTY_SCOPE.global
  const [allow, deny] = [scopes.flatMap(scope => scope.allow), scopes.flatMap(scope => scope.deny)]
  return createScope(allow, deny)
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}

// Which commands need no capability.

/**
 * Whether somebody decides who may call the app's commands: a capability names one, or permission files of the app's own say
 * so.
 */
export const isRestricted = (capabilities: readonly ResolvedCapability[], { plugins }: Catalogue): boolean =>
  plugins.get(APP_KEY)?.described === true || capabilities.some(each => each.namesAppCommand)

/**
 * Events, paths, the app's own data and resources: always. The app's commands: in the brownfield pattern, until that is
 * decided. Plugins' commands: never.
 */
export function getDefaultPolicy(decided: boolean, pattern: Pattern): (command: CommandName) => boolean {
  const appIsOpen = pattern === 'brownfield' && !decided
  return ({ method, owner }) => (owner === 'core' ? OPEN_COMMANDS.has(method) : owner === 'app' && appIsOpen)
}
