// The sources of the authority: capabilities, and definitions of permissions. The host reads the files; core validates and
// resolves their content. All of it survives structured cloning.
import { isYes } from '@sallyport/protocol/internal/errors'

/** The unvalidated content of a file or an option, with its name for error texts. */
export interface AclSource {
  readonly value: unknown
  /** A file's path or an option's name: `capabilities/main.json`, `app.security.capabilities[0]`. */
  readonly from: string
}

/** One capability, an array of them, or `{ capabilities: [...] }`, as in Tauri's files. */
export interface CapabilitySource extends AclSource {
  /** The place within the file, if the value is only a part of it: `[1]`, `capabilities[1]`. Set by `splitCapabilities`. */
  readonly at?: string
  /** Set for a capability that was written as an option, instead of in one of Tauri's files. */
  readonly isOption?: true
}

/** A permission with values for its scope, which the permission's plugin defines. A command's name stands for the permission that allows it. */
export interface ScopedPermission {
  /** The identifier of a permission, or the name of a command. */
  permission: string
  /** Values that the scope allows. */
  allow?: readonly unknown[] | undefined
  /** Values that the scope denies. */
  deny?: readonly unknown[] | undefined
}

/** Where a plugin asks for its rights. */
export interface RightsSource {
  /** For texts: `sallyport.permissions of @acme/x/package.json`. */
  readonly place: string
  /** What it can ask for, with what each name stands for in `allow`. First what it asks for and was not granted. */
  readonly rights: readonly {
    readonly name: string
    readonly entries: AllowList['entries']
    readonly isAsked: boolean
  }[]
  /** True if these are all that there is: the program has names of its own. */
  readonly isComplete: boolean
}

/** `allow` of one frontend: what a capability for its label alone would name. */
export interface AllowList {
  /** Names of commands, and identifiers of permissions. `*`: every app command, and `core:default`. */
  readonly entries: readonly (string | ScopedPermission)[]
  /** The option's place, for error texts: `createBus: frontends.main.allow`. */
  readonly from: string
}

export interface PermissionFileSource extends AclSource {
  /** The owner: a plugin's name, `core:<plugin>`, or `undefined` for the app. */
  readonly plugin: string | undefined
}

export interface AclInput {
  readonly capabilities: readonly CapabilitySource[]
  readonly permissionFiles: readonly PermissionFileSource[]
  /** The project's `gen/schemas/acl-manifests.json`, written by Tauri: a `Manifests`. */
  readonly manifests: AclSource | undefined
  /**
   * True for a Tauri project: every frontend may call the app's commands, unless the app has permission files or a manifest. Permissions of
   * plugins that this core does not have are ignored, with a warning.
   */
  readonly isTauriProject?: boolean
  /** Compared with `platforms`: `getPlatform(process.platform)`. */
  readonly platform: Platform
}

/** A permission file in Tauri's format. */
export interface PermissionFile {
  /** The content of the plugin's `default` permission. */
  default?: { version?: number; description?: string; permissions: readonly string[] }
  /** Named sets of permissions. */
  set?: readonly PermissionSetDefinition[]
  /** Single permissions. */
  permission?: readonly PermissionDefinition[]
}

/** A named set of permissions. */
export interface PermissionSetDefinition {
  /** The name that capabilities and sets use. */
  identifier: string
  /** A text for people. */
  description?: string
  /** Permissions and sets of the same plugin by bare name (`allow-read`, `default`), or of another: `fs:default`. */
  permissions: readonly string[]
}

/** One permission of a permission file. */
export interface PermissionDefinition {
  /** The name that capabilities and sets use. */
  identifier: string
  /** The format's version. */
  version?: number
  /** A text for people. */
  description?: string
  /** Commands by their names in the plugin: `read_file`. */
  commands?: { allow?: readonly string[]; deny?: readonly string[] }
  /** The scope of the commands, or, without commands, the plugin's global scope. */
  scope?: { allow?: readonly unknown[] | null; deny?: readonly unknown[] | null }
  /** Platforms that the permission applies to. @default all */
  platforms?: readonly Platform[]
}

/** The part of Tauri's `acl-manifests.json` that is read, by plugin (`fs`, `core:event`, `__app-acl__` for the app). */
export type Manifests = Readonly<Record<string, Manifest>>

interface Manifest {
  default_permission?: PermissionSetDefinition | null
  permissions: Readonly<Record<string, PermissionDefinition>>
  permission_sets: Readonly<Record<string, PermissionSetDefinition>>
}

/** Tauri's key of the app's own permissions. */
export const APP_KEY = '__app-acl__'

/** The identifier of the capability that every frontend has. */
export const BUILT_IN = '(built-in)'

/** Returns the platform's name in Tauri's files. Unix systems without such a name count as Linux. */
export function getPlatform(platform: NodeJS.Platform): Platform {
  if (platform === 'darwin') return 'macOS'
  if (platform === 'win32') return 'windows'
  return platform === 'android' ? 'android' : 'linux'
}

/** Returns one source for each capability of a file. A value of any other form is returned unchanged, for the later check. */
export function splitCapabilities(source: CapabilitySource): CapabilitySource[] {
  const { value, from, at } = source
  if (at !== undefined) return [source]
  const split = (list: readonly unknown[], prefix: string): CapabilitySource[] =>
    list.map((entry, index) => ({ value: entry, from, at: `${prefix}[${index}]` }))
  if (Array.isArray(value)) return split(value, '')
  const list = (value as { capabilities?: unknown } | null | undefined)?.capabilities
  return Array.isArray(list) ? split(list, 'capabilities') : [source]
}

/** A command as the authority knows it; the handler is not needed. */
export interface CommandIdentity {
  /** The method: `greet`, `plugin:fs|read_text_file`. */
  readonly method: string
  readonly owner: 'app' | 'plugin' | 'core'
  /** The permission that allows the command: `allow-greet`, `fs:allow-read-text-file`. */
  readonly allow: string
  readonly deny: string
}

/** Changes of the capabilities at run time. A restarted core begins with them. */
export interface CapabilityChanges {
  added: Map<string, Capability>
  /** Identifiers of initial capabilities. */
  removed: Set<string>
}

/** A capability of Tauri: permissions for the frontends whose labels match. */
export interface Capability {
  /** Unique among all capabilities. */
  identifier: string
  /** A text for people. */
  description?: string
  /** `false` limits the capability to remote pages, so it applies to no frontend here. @default true */
  local?: boolean
  /** URLs of remote pages. Accepted for Tauri's files; matches nothing here. */
  remote?: { urls: readonly string[] }
  /** Labels it applies to, as globs of Rust's `glob` (`*`, `?`, `[abc]`). */
  windows?: readonly string[]
  /** More globs of labels. Here a window and its webview are one frontend, and one match suffices. */
  webviews?: readonly string[]
  /** `allow-greet`, `deny-greet`, `fs:allow-read-text-file`, `core:default`, `core:event:deny-emit`, `fs:default`. */
  permissions: readonly PermissionEntry[]
  /** Platforms on which it is in force. @default all */
  platforms?: readonly Platform[]
}

/** A permission, alone or with more scope values. The command's plugin defines their form. */
export type PermissionEntry =
  | string
  | { identifier: string; allow?: readonly unknown[] | null | undefined; deny?: readonly unknown[] | null | undefined }

/** Platforms by Tauri's names. */
export type Platform = 'linux' | 'macOS' | 'windows' | 'android' | 'iOS'

/** Tauri's patterns: with a gate (`isolation`) or without (`brownfield`). */
export type Pattern = 'brownfield' | 'isolation'

/**
 * What a caller may do with a command, beyond calling it. The handler has to enforce it, as in Tauri. The command's plugin defines the form of
 * the values, for instance `{ path: '$HOME/**' }` of Tauri's fs.
 */
export interface Scope {
  /** Values that the permissions allow. */
  readonly allow: readonly unknown[]
  /** Values that the permissions deny. */
  readonly deny: readonly unknown[]
  /**
   * Applies Tauri's rule (`CommandScope::matches`): false if `like` accepts a denied value; true if no value is allowed, or
   * `like` accepts one.
   */
  matches(like: (value: unknown) => boolean): boolean
}

/** The scope of one command for one frontend, merged from all permissions that allow it. */
export interface CommandScope extends Scope {
  /** The scope of the plugin's permissions that name no command. */
  readonly global: Scope
}

/** Creates a frozen scope: every call receives the same one. */
export function createScope(allow: readonly unknown[], deny: readonly unknown[]): Scope {
  const isLike = (like: (value: unknown) => boolean) => (value: unknown) =>
    isYes('the function of matches', like(value))
  return Object.freeze({
    allow: Object.freeze(allow),
    deny: Object.freeze(deny),
    matches: (like: (value: unknown) => boolean) =>
      !deny.some(isLike(like)) && (allow.length === 0 || allow.some(isLike(like))),
  })
}

const NOTHING = createScope([], [])
export const EMPTY_SCOPE: CommandScope = Object.freeze({ ...NOTHING, global: NOTHING })
