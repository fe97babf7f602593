// Options of `openPlugins`, and what a host reads about a plugin.
import type { FrontendOptions } from '@sallyport/core'
import { checkSecretOptions, type FrontendInfo, type ScopedPermission } from '@sallyport/core/internal'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import type { Ask } from './ask.js'
import { isVersion } from './json-file.js'
import type { PluginId, RequestedPermission, Rights } from './rights.js'

/** A file or directory: a file URL, or an absolute path. */
export type PluginLocation = string | URL

/** A plugin, as lists and events have it. */
export interface PluginInfo extends PluginId {
  /** Label of its frontend, in each state: that of its name, or of its directory as long as no name can be read. */
  readonly label: string
  /** Real path of its directory. */
  readonly directory: string
  /** `invalid`: its manifest or its label. After its start, the state of its frontend: `running`, `restarting`, `failed`, `stopped` and others. */
  readonly state: FrontendInfo['state'] | 'invalid' | 'disabled' | 'asking' | 'refused' | 'stopping'
  /** Its sandbox, while it has a frontend. */
  readonly sandbox: FrontendInfo['sandbox'] | undefined
  /** The wall around its process. */
  readonly wall: string | undefined
  /** The last error. */
  readonly error: Error | undefined
  /** What its manifest requests. */
  readonly requested: Rights
  /** What it has, once it was started. */
  readonly granted: Rights | undefined
  /** Default settings of its manifest. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** Options of the frontend of a plugin. It has the network that both `sandbox.net` and its grant allow; without the grant, no `secrets` either. */
export type PluginFrontendOptions = Omit<FrontendOptions, 'allow' | 'data'> & {
  /** Allows what each plugin may call, in addition to what is granted. */
  allow?: readonly (string | ScopedPermission)[]
  /** Replaces settings of the manifest: the plugin reads them by `getData()`. */
  settings?: Readonly<Record<string, unknown>>
}

/** Options of `openPlugins`. */
export interface PluginsOptions {
  /** Finds plugins: the directories in this one, also those in a directory of a scope: `@acme/x`. `install` puts packages there. */
  directory?: PluginLocation
  /** Adds the directories of further plugins. */
  packages?: readonly PluginLocation[]
  /** Keeps grants in a file, which is created. Without it they are kept in memory. */
  grants?: PluginLocation
  /** Decides about a plugin without a grant for its present content. Without it such a plugin is refused. */
  ask?: Ask
  /** Refuses what was not answered after so many milliseconds. @default 300000 */
  askTimeout?: number
  /** Starts plugins: all, none, or those for which it returns true. @default true */
  enable?: boolean | ((plugin: PluginInfo) => boolean)
  /** Sets the options of the frontend of each plugin. @default { sandbox: 'process' } */
  frontend?: PluginFrontendOptions | ((plugin: PluginInfo) => PluginFrontendOptions)
  /** Names what a manifest can request, in your words. @default permissions and commands of the bus @example { storage: ['fs:own'] } */
  permissions?: Readonly<Record<string, readonly RequestedPermission[]>>
  /** Says the version of your API for plugins, which has to be in the range `apiVersion` of a manifest. */
  apiVersion?: string
  /** Begins all labels, which keeps plugins apart from your own frontends, and from capabilities for their labels. @default '' */
  prefix?: string
}

/** Checked options, with paths. */
export type ResolvedOptions = Omit<PluginsOptions, 'directory' | 'packages' | 'grants'> &
  Required<Pick<PluginsOptions, 'askTimeout' | 'enable' | 'frontend' | 'prefix'>> & {
    directory?: string
    packages?: readonly string[]
    grants?: string
  }

const path = v.pipe(
  v.custom<PluginLocation>(value => typeof value === 'string' || value instanceof URL, 'a file URL or a path'),
  v.transform(location => (String(location).startsWith('file:') ? fileURLToPath(location) : String(location))),
  v.check(isAbsolute, 'a file URL or an absolute path'),
)
const entries = {
  directory: v.optional(path),
  packages: v.optional(v.array(path, 'an array')),
  grants: v.optional(path),
  ask: v.optional(v.function('a function')),
  // The longest time of a timer in Node.
  askTimeout: v.optional(
    v.custom<number>(ms => Number(ms) >= 1 && Number(ms) < 2 ** 31, '1 to 2147483647'),
    300_000,
  ),
  enable: v.optional(v.union([v.boolean(), v.function()], 'true, false or a function'), true),
  frontend: v.optional(v.union([v.record(v.string(), v.any()), v.function()], 'an object or a function'), {}),
  permissions: v.optional(v.record(v.string(), v.array(v.any(), 'an array'), 'an object of arrays')),
  apiVersion: v.optional(v.custom<string>(isVersion, 'a version, such as "2.1.0"')),
  prefix: v.optional(v.pipe(v.string(), v.regex(/^[\w/:-]{0,40}$/, 'at most 40 characters of a label')), ''),
} satisfies Record<keyof PluginsOptions, v.GenericSchema>
const schema = v.pipe(
  v.strictObject(entries, 'an object'),
  v.check(({ directory, packages }) => Boolean(directory ?? packages), 'an object with directory or packages'),
)

/** @throws {BusError} InvalidParams */
export const resolveOptions = (options: PluginsOptions): ResolvedOptions =>
  checkSecretOptions('openPlugins', schema, options) as ResolvedOptions
