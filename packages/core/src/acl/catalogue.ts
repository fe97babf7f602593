// All permissions by plugin: two for each command, those of Tauri's core plugins, and those that manifests, the core module's
// plugins and permission files define. The last definition of a name wins, in that order, as in Tauri.
import { getMethod, getPermissions, splitIdentifier } from './identifier.js'
import { toManifests, toPermissionFile } from './schema.js'
import { CORE_COMMANDS } from './tauri-permissions.js'
import {
  type AclInput,
  type AclSource,
  APP_KEY,
  type CommandName,
  type PermissionDefinition,
  type PermissionFile,
  type PermissionFileSource,
  type PermissionSetDefinition,
} from './types.js'

/** The permissions of one plugin or of the app. */
export interface PluginPermissions {
  readonly permissions: Map<string, PermissionDefinition>
  readonly sets: Map<string, PermissionSetDefinition>
  /** The `default` set, if one is defined. */
  defaultSet: PermissionSetDefinition | undefined
  /**
   * True if a file or manifest describes the plugin completely. Otherwise only the generated permissions of some commands are
   * known.
   */
  described: boolean
}

export interface Catalogue {
  readonly plugins: ReadonlyMap<string, PluginPermissions>
  /** Validated permission files. The permissions that their sets name must exist. */
  readonly files: readonly { readonly source: AclSource; readonly key: string; readonly file: PermissionFile }[]
}

interface CatalogueInput {
  acl: Pick<AclInput, 'manifests' | 'permissionFiles'>
  commands: Iterable<CommandName>
  /** Permission files of the core module's plugins. */
  pluginFiles: readonly PermissionFileSource[]
}

/** @throws {BusError} InvalidParams if a permission file or manifest is malformed */
export function createCatalogue({ acl, commands, pluginFiles }: CatalogueInput): Catalogue {
  const plugins = new Map<string, PluginPermissions>()
  const plugin = (key: string): PluginPermissions => {
    const known = plugins.get(key) ?? {
      permissions: new Map(),
      sets: new Map(),
      defaultSet: undefined,
      described: false,
    }
    plugins.set(key, known)
    return known
  }
  plugin(APP_KEY)
  addCore(plugin)
  for (const command of commands) addGenerated(plugin, command)
  for (const [key, manifest] of Object.entries(acl.manifests ? toManifests(acl.manifests) : {})) {
    const known = plugin(key)
    known.described = true
    known.defaultSet = manifest.default_permission ?? known.defaultSet
    for (const permission of Object.values(manifest.permissions))
      known.permissions.set(permission.identifier, permission)
    for (const set of Object.values(manifest.permission_sets)) known.sets.set(set.identifier, set)
  }
  const files = [...pluginFiles, ...acl.permissionFiles].map(source => {
    const file = toPermissionFile(source)
    const key = source.plugin ?? APP_KEY
    const known = plugin(key)
    known.described = true
    if (file.default) known.defaultSet = { identifier: 'default', permissions: file.default.permissions }
    for (const permission of file.permission ?? []) known.permissions.set(permission.identifier, permission)
    for (const set of file.set ?? []) known.sets.set(set.identifier, set)
    return { source, key, file }
  })
  return { plugins, files }
}

function addCore(plugin: (key: string) => PluginPermissions): void {
  const core = plugin('core')
  core.described = true
  core.defaultSet = {
    identifier: 'default',
    permissions: Object.keys(CORE_COMMANDS).map(name => `core:${name}:default`),
  }
  for (const [name, { byDefault, others }] of Object.entries(CORE_COMMANDS)) {
    const known = plugin(`core:${name}`)
    known.described = true
    known.defaultSet = { identifier: 'default', permissions: byDefault.map(command => getPermissions(command).allow) }
    for (const command of [...byDefault, ...others]) {
      const { allow, deny } = getPermissions(command)
      generate(known, allow, deny, command)
    }
  }
}

function addGenerated(plugin: (key: string) => PluginPermissions, command: CommandName): void {
  const { method, owner } = command
  const key = getCommandKey(command)
  const prefix = owner === 'app' ? '' : `${key}:`
  const name = owner === 'app' ? method : method.slice(method.indexOf('|') + 1)
  generate(plugin(key), command.allow.slice(prefix.length), command.deny.slice(prefix.length), name)
}

/** Two commands can share their permissions: `read_file` and `read-file`. */
function generate({ permissions }: PluginPermissions, allow: string, deny: string, command: string): void {
  const both = (identifier: string, effect: 'allow' | 'deny'): string[] => [
    ...new Set([...(permissions.get(identifier)?.commands?.[effect] ?? []), command]),
  ]
  permissions.set(allow, { identifier: allow, commands: { allow: both(allow, 'allow') } })
  permissions.set(deny, { identifier: deny, commands: { deny: both(deny, 'deny') } })
}

/** Returns the ACL key of the command's owner: a plugin's name, `core:<plugin>` or `APP_KEY`. */
export function getCommandKey({ method, owner }: CommandName): string {
  if (owner === 'app') return APP_KEY
  const plugin = method.slice('plugin:'.length, method.indexOf('|'))
  return owner === 'core' ? `core:${plugin}` : plugin
}

/** Returns the full names of all permissions and sets that allow a command. */
export function permissionsFor(command: CommandName, { plugins }: Catalogue): string[] {
  const key = getCommandKey(command)
  const known = plugins.get(key)
  if (!known) return []
  const allows = (set: PermissionSetDefinition, seen: Set<unknown>): boolean => {
    if (seen.has(set)) return false
    seen.add(set)
    return set.permissions.some(identifier => {
      const name = bareName(identifier, key)
      const permission = known.permissions.get(name)
      if (permission) return permission.commands?.allow?.some(allowed => getMethod(key, allowed) === command.method)
      const inner = name === 'default' ? known.defaultSet : known.sets.get(name)
      return inner !== undefined && allows(inner, seen)
    })
  }
  const names = [...known.permissions.values()]
    .filter(({ commands }) => commands?.allow?.some(allowed => getMethod(key, allowed) === command.method))
    .map(({ identifier }) => identifier)
  const sets = [...known.sets.values()].filter(set => allows(set, new Set())).map(({ identifier }) => identifier)
  if (known.defaultSet && allows(known.defaultSet, new Set())) sets.push('default')
  return [...names, ...sets].toSorted().map(name => (key === APP_KEY ? name : `${key}:${name}`))
}

function bareName(identifier: string, key: string): string {
  const split = splitIdentifier(identifier)
  return split.key === key ? split.name : identifier
}
