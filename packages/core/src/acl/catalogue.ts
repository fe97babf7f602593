// All permissions by plugin: two for each command, those of Tauri's core plugins, and those that manifests, the core module's
// plugins and permission files define. The last definition of a name wins, in that order, as in Tauri.
import { getMethod, getPermissions, isGuiPlugin, joinIdentifier, splitIdentifier, splitMethod } from './identifier.js'
import { toManifests, toPermissionFile } from './schema.js'
import { CORE_COMMANDS } from './tauri-permissions.js'
import {
  type AclInput,
  type AclSource,
  APP_KEY,
  type CommandIdentity,
  type PermissionDefinition,
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
  /** The check of scope values of each plugin that has one, by the plugin's name. */
  scopeChecks?: ReadonlyMap<string, (value: unknown) => void>
  /** Receives the permissions that are ignored. */
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

/** Returns the full names of all permissions and sets that allow a command. */
export function getPermissionsFor(command: CommandIdentity, { plugins }: Catalogue): string[] {
  const key = getCommandKey(command)
  const plugin = plugins.get(key)
  if (!plugin) return []
  const { permissions, defaultSet } = plugin
  const sets = new Map(plugin.sets)
  if (defaultSet) sets.set('default', defaultSet)
  const allows = ({ commands }: PermissionDefinition): boolean =>
    commands?.allow?.some(name => getMethod(key, name) === command.method) === true
  const includes = (set: PermissionSetDefinition, seen = new Set<unknown>()): boolean => {
    if (seen.has(set)) return false
    seen.add(set)
    return set.permissions.some(identifier => {
      const split = splitIdentifier(identifier)
      const name = split.key === key ? split.name : identifier
      const [permission, inner] = [permissions.get(name), sets.get(name)]
      return permission ? allows(permission) : inner !== undefined && includes(inner, seen)
    })
  }
  const names = [...permissions.keys()].filter(name => allows(permissions.get(name)!))
  names.push(...[...sets.keys()].filter(name => includes(sets.get(name)!)))
  return names.toSorted().map(name => joinIdentifier({ key, name }))
}
