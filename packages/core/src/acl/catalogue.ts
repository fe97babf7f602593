// All permissions by plugin: two for each command, those of Tauri's core plugins, and those that manifests, the core module's
// plugins and permission files define. The last definition of a name wins, in that order, as in Tauri.
import { didYouMean } from '@sallyport/protocol/internal/errors'
import {
  CORE_COMMANDS,
  describeAclKey,
  explainMalformed,
  getMethod,
  getPermissions,
  isGuiPlugin,
  joinIdentifier,
  type PermissionName,
  splitIdentifier,
  splitMethod,
} from './identifier.js'
import { toManifests, toPermissionFile } from './schema.js'
import {
  type AclInput,
  type AclSource,
  APP_KEY,
  type CommandIdentity,
  type PermissionDefinition,
  type PermissionEntry,
  type PermissionFile,
  type PermissionFileSource,
  type PermissionSetDefinition,
} from './types.js'

export interface PluginPermissions {
  readonly permissions: Map<string, PermissionDefinition>
  readonly sets: Map<string, PermissionSetDefinition>
  defaultSet: PermissionSetDefinition | undefined
  /** False if only the generated permissions of some commands are known: neither a file nor a manifest describes the plugin. */
  described: boolean
}

export interface Catalogue {
  readonly plugins: ReadonlyMap<string, PluginPermissions>
  /** Validated permission files. The permissions that their sets name must exist. */
  readonly files: readonly { readonly source: AclSource; readonly key: string; readonly file: PermissionFile }[]
}

export interface AclDeps {
  acl: AclInput
  commands: Iterable<CommandIdentity>
  pluginFiles: readonly PermissionFileSource[]
  scopeChecks?: ReadonlyMap<string, (value: unknown) => void>
  warn: (text: string) => void
}

/** @throws {BusError} InvalidParams if a permission file or manifest is malformed */
export function createCatalogue({ acl, commands, pluginFiles }: Omit<AclDeps, 'warn'>): Catalogue {
  const plugins = new Map<string, PluginPermissions>()
  const getPlugin = (key: string): PluginPermissions => {
    const plugin = plugins.get(key) ?? {
      permissions: new Map(),
      sets: new Map(),
      defaultSet: undefined,
      described: false,
    }
    plugins.set(key, plugin)
    return plugin
  }
  const describe = (
    key: string,
    defaultPermissions: readonly string[] | undefined,
    permissions: Iterable<PermissionDefinition> = [],
    sets: Iterable<PermissionSetDefinition> = [],
  ): void => {
    const plugin = getPlugin(key)
    plugin.described = true
    if (defaultPermissions) plugin.defaultSet = { identifier: 'default', permissions: defaultPermissions }
    for (const permission of permissions) plugin.permissions.set(permission.identifier, permission)
    for (const set of sets) plugin.sets.set(set.identifier, set)
  }
  getPlugin(APP_KEY)
  const coreDefaults = Object.keys(CORE_COMMANDS).map(name => `core:${name}:default`)
  describe('core', coreDefaults)
  for (const [name, { byDefault, others }] of Object.entries(CORE_COMMANDS)) {
    const key = `core:${name}`
    const defaults = byDefault.map(command => getPermissions(command).allow)
    describe(key, defaults)
    for (const command of [...byDefault, ...others]) generate(getPlugin(key), command)
  }
  for (const command of commands) generate(getPlugin(getCommandKey(command)), splitMethod(command.method).name)
  for (const [key, manifest] of Object.entries(acl.manifests ? toManifests(acl.manifests) : {})) {
    const { default_permission: byDefault, permissions, permission_sets: sets } = manifest
    describe(key, byDefault?.permissions, Object.values(permissions), Object.values(sets))
  }
  const files = [...pluginFiles, ...acl.permissionFiles].map(source => {
    const file = toPermissionFile(source)
    const key = source.plugin ?? APP_KEY
    describe(key, file.default?.permissions, file.permission, file.set)
    return { source, key, file }
  })
  return { plugins, files }
}

/** Two commands can share their permissions: `read_file` and `read-file`. */
function generate({ permissions }: PluginPermissions, command: string): void {
  for (const effect of ['allow', 'deny'] as const) {
    const identifier = getPermissions(command)[effect]
    const commands = new Set([...(permissions.get(identifier)?.commands?.[effect] ?? []), command])
    permissions.set(identifier, { identifier, commands: { [effect]: [...commands] } })
  }
}

/** Returns the ACL key of the command's owner: a plugin's name, `core:<plugin>` or `APP_KEY`. */
export function getCommandKey({ method, owner }: CommandIdentity): string {
  const { plugin } = splitMethod(method)
  if (owner === 'app' || plugin === undefined) return APP_KEY
  return owner === 'core' || isGuiPlugin(plugin) ? `core:${plugin}` : plugin
}

export interface ExpandedPermission extends PermissionName {
  readonly permission: PermissionDefinition
}

export interface UnknownPermission {
  readonly text: string
  /** Whose permission another core, or another version of the plugin, can have. */
  readonly plugin?: string
  readonly isHere?: boolean
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
  if (wrong) return { text: `${JSON.stringify(identifier)}: ${wrong}${hint}` }
  if (within) {
    const text = `permission ${name.name} not found from set ${within.identifier}${hint}`
    return name.name.includes(':') ? { text, plugin: splitIdentifier(name.name).key } : { text }
  }
  if (catalogue.plugins.has(name.key)) {
    const text = `unknown permission ${name.name} for ${describeAclKey(name.key)}${hint}`
    return name.key === APP_KEY ? { text } : { text, plugin: name.key, isHere: true }
  }
  const keys = [...catalogue.plugins.keys()].toSorted().filter(key => key !== APP_KEY)
  const remedy = hint || `. Add the plugin ${JSON.stringify(name.key)} to "plugins" of the core`
  const text = `unknown ACL for ${name.key}, expected one of ${keys.join(', ')}${remedy}`
  return { text, plugin: name.key }
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
  return Boolean(commands?.allow?.length || commands?.deny?.length)
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

function suggestPermission(name: PermissionName, catalogue: Catalogue): string {
  const identifier = joinIdentifier(name)
  const names = new Set(getNames(catalogue))
  const same = otherNames(identifier).find(each => names.has(each))
  if (same !== undefined) return ` (did you mean ${JSON.stringify(same)}?)`
  // Every plugin has a `default`, so a name of a plugin that is not here resembles names of others.
  const isNear = (each: string): boolean =>
    catalogue.plugins.has(name.key) || isNearKey(name.key, splitIdentifier(each).key)
  return didYouMean(identifier, [...names].filter(isNear))
}

/** Shorter names resemble each other by chance: `os` and `fs`. */
const MIN_KEY_LENGTH = 4

const isNearKey = (key: string, other: string): boolean =>
  key.length >= MIN_KEY_LENGTH && didYouMean(key, [other]) !== ''

/** `read_file` is `allow-read-file`, `plugin:fs|read` is `fs:allow-read`, `event:default` is `core:event:default`. */
function otherNames(identifier: string): string[] {
  const plain = identifier.replace(/^plugin:([^|]+)\|/, '$1:').replaceAll('_', '-')
  return [plain, `core:${plain}`].flatMap(name => [name, name.replace(/[^:]*$/, 'allow-$&'), `${name}:default`])
}

function* getNames({ plugins }: Catalogue): Iterable<string> {
  for (const [key, { permissions, sets, defaultSet }] of plugins) {
    for (const name of [...permissions.keys(), ...sets.keys()]) yield joinIdentifier({ key, name })
    if (defaultSet) yield joinIdentifier({ key, name: 'default' })
  }
}

/**
 * Finds commands in permission files that do not exist but nearly match an existing one. In a `deny` such a typing error denies nothing.
 * Other unknown names pass, because files can be written for more commands than this core has. Returns a sentence for each.
 */
export function findMisnamedCommands({ files }: Catalogue, commands: Iterable<CommandIdentity>): string[] {
  const all = [...commands]
  return files.flatMap(({ source, key, file }) => {
    const candidates = all.filter(command => getCommandKey(command) === key)
    const names = new Set(candidates.map(({ method }) => splitMethod(method).name))
    const suggestCommand = (name: string): string => (names.has(name) ? '' : didYouMean(name, names))
    return (file.permission ?? []).flatMap(({ commands: named }, index) =>
      (['allow', 'deny'] as const).flatMap(effect =>
        (named?.[effect] ?? []).filter(suggestCommand).map(name => {
          const place = `${source.from}: permission[${index}].commands.${effect}`
          return `${place}: there is no command ${JSON.stringify(name)}${suggestCommand(name)}`
        }),
      ),
    )
  })
}
