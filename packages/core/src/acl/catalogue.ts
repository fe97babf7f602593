// Every permission that there is, by plugin: two for each command, Tauri's own of its core plugins, and what the project's
// manifests, its plugins and its permission files define. The last definition of a name holds, in that order, as in Tauri.
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

/** The permissions of one plugin, or of the app. */
export interface PluginPermissions {
  readonly permissions: Map<string, PermissionDefinition>
  readonly sets: Map<string, PermissionSetDefinition>
  /** `default`, where there is one. */
  defaultSet: PermissionSetDefinition | undefined
  /** By a file or a manifest, and so wholly; else only the generated permissions of some commands are known. */
  described: boolean
}

export interface Catalogue {
  readonly plugins: ReadonlyMap<string, PluginPermissions>
  /** The permission files, checked: their sets name permissions that must exist. */
  readonly files: readonly { readonly source: AclSource; readonly key: string; readonly file: PermissionFile }[]
}

interface CatalogueInput {
  acl: Pick<AclInput, 'manifests' | 'permissionFiles'>
  commands: Iterable<CommandName>
  /** Those that plugins of the core module bring. */
  pluginFiles: readonly PermissionFileSource[]
}

/** @throws BusError `InvalidParams` for a file that is no such thing */
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

/** Two commands may share their permissions: `read_file` and `read-file`. */
function generate({ permissions }: PluginPermissions, allow: string, deny: string, command: string): void {
  const both = (identifier: string, effect: 'allow' | 'deny'): string[] => [
    ...new Set([...(permissions.get(identifier)?.commands?.[effect] ?? []), command]),
  ]
  permissions.set(allow, { identifier: allow, commands: { allow: both(allow, 'allow') } })
  permissions.set(deny, { identifier: deny, commands: { deny: both(deny, 'deny') } })
}

/** Whose command it is, as permissions name it. */
export function getCommandKey({ method, owner }: CommandName): string {
  if (owner === 'app') return APP_KEY
  const plugin = method.slice('plugin:'.length, method.indexOf('|'))
  return owner === 'core' ? `core:${plugin}` : plugin
}

/** The permissions and sets that allow a command, by their full names: what a capability could name. */
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
