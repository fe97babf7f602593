// What the authority is made from: capabilities, and the permissions that they may name beside the generated ones. The host
// reads the files; core checks and resolves what is in them. All of it can be cloned between threads.

/** What a file or an option holds, unchecked, and what to call it in error texts. */
export interface AclSource {
  readonly value: unknown
  /** A file's path, or an option's name: `capabilities/main.json`, `app.security.capabilities[0]`. */
  readonly from: string
}

/** One capability, a list of them, or `{ capabilities: [...] }`, as Tauri's files have it. */
export interface CapabilitySource extends AclSource {
  /** Where in the file the value stands, if it is not all of it: `[1]`, `capabilities[1]`. `splitCapabilities` sets it. */
  readonly at?: string
}

/** One `PermissionFile`. */
export interface PermissionFileSource extends AclSource {
  /** Whose permissions these are: a plugin's name, `core:<plugin>`, or `undefined` for the app. */
  readonly plugin: string | undefined
}

export interface AclInput {
  readonly capabilities: readonly CapabilitySource[]
  readonly permissionFiles: readonly PermissionFileSource[]
  /** Tauri's own `gen/schemas/acl-manifests.json`, where a project has it: a `Manifests`. */
  readonly manifests: AclSource | undefined
  /**
   * `warn`: for configurations that name plugins which this core does not have. Passed over, with a warning, is what may well
   * be right elsewhere: any permission of a plugin that nothing here knows, and an unknown one of a plugin that neither a
   * permission file nor a manifest describes. A wrong name of the app, of Tauri's core plugins or of a described plugin stays
   * an error, since it is a typing error: a `deny-` with a mistake in it would deny nothing.
   */
  readonly unknownPermissions: 'error' | 'warn'
  /** What `platforms` is held against: `platformOf(process.platform)`. */
  readonly platform: Platform
}

/** Tauri's permission file. */
export interface PermissionFile {
  default?: { version?: number; description?: string; permissions: readonly string[] }
  set?: readonly PermissionSetDefinition[]
  permission?: readonly PermissionDefinition[]
}

export interface PermissionSetDefinition {
  identifier: string
  description?: string
  /** Of the same plugin by their bare names (`allow-read`, another set, `default`), or of another: `fs:default`. */
  permissions: readonly string[]
}

export interface PermissionDefinition {
  identifier: string
  version?: number
  description?: string
  /** Commands by their names in the plugin: `read_file`. */
  commands?: { allow?: readonly string[]; deny?: readonly string[] }
  /** With commands: the scope of those. Without: the plugin's global scope. */
  scope?: { allow?: readonly unknown[] | null; deny?: readonly unknown[] | null }
  platforms?: readonly Platform[]
}

/** Tauri's `acl-manifests.json`, by plugin (`fs`, `core:event`, `__app-acl__` for the app). */
export type Manifests = Readonly<Record<string, Manifest>>

export interface Manifest {
  default_permission: PermissionSetDefinition | null
  permissions: Readonly<Record<string, PermissionDefinition>>
  permission_sets: Readonly<Record<string, PermissionSetDefinition>>
  global_scope_schema: unknown
}

/** Tauri's name for the app's own permissions, among the plugins' names. */
export const APP_KEY = '__app-acl__'

/** The platform's name in Tauri's files. Unixes without a name there count as Linux. */
export function getPlatform(platform: NodeJS.Platform): Platform {
  if (platform === 'darwin') return 'macOS'
  if (platform === 'win32') return 'windows'
  return platform === 'android' ? 'android' : 'linux'
}

/** One source for each capability of a file. A value of no such shape stays as it is, for the check that comes later. */
export function splitCapabilities(source: CapabilitySource): CapabilitySource[] {
  const { value, from, at } = source
  if (at !== undefined) return [source]
  const split = (list: readonly unknown[], prefix: string): CapabilitySource[] =>
    list.map((one, index) => ({ value: one, from, at: `${prefix}[${index}]` }))
  if (Array.isArray(value)) return split(value, '')
  const list = (value as { capabilities?: unknown } | null | undefined)?.capabilities
  return Array.isArray(list) ? split(list, 'capabilities') : [source]
}

/** What is asked of a command here: it need not run. */
export interface CommandName {
  /** As it is called: `greet`, `plugin:fs|read_text_file`. */
  readonly method: string
  /** Whose command it is decides which rule of the authority holds for it. */
  readonly owner: 'app' | 'plugin' | 'core'
  /** The permission that allows it: `allow-greet`, `fs:allow-read-text-file`. */
  readonly allow: string
  readonly deny: string
}

/** What was done to the capabilities at run time: a core that is started again begins with it. */
export interface CapabilityChanges {
  /** By their identifiers. */
  added: Map<string, unknown>
  /** Of those that the bus was started with. */
  removed: Set<string>
  /** Some capability has named an app command: none is open any more. */
  decided: boolean
}

// Tauri's capabilities: which labels may call which commands, and with which values.

export interface Capability {
  /** Unique among all capabilities. */
  identifier: string
  description?: string
  /** `false`: for remote pages alone, so for no frontend here. `true` by default. */
  local?: boolean
  /** Pages of the web, which no frontend here is: taken as Tauri's files have it, and matching nothing. */
  remote?: { urls: readonly string[] }
  /** Labels it holds for, as globs of Rust's `glob` (`*`, `?`, `[abc]`). */
  windows?: readonly string[]
  /** More of them: here a window and its webview are one frontend, and it is enough that one glob matches. */
  webviews?: readonly string[]
  /** `allow-greet`, `deny-greet`, `fs:allow-read-text-file`, `core:default`, `core:event:deny-emit`, `fs:default`. */
  permissions: readonly PermissionEntry[]
  /** Where it is in force; everywhere by default. */
  platforms?: readonly Platform[]
}

/** A permission, or one with more of a scope. The values are of the shape that the command's plugin defines. */
export type PermissionEntry =
  | string
  | { identifier: string; allow?: readonly unknown[] | null; deny?: readonly unknown[] | null }

export type Platform = 'linux' | 'macOS' | 'windows' | 'android' | 'iOS'

export type Pattern = 'brownfield' | 'isolation'
