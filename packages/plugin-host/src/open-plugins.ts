// `openPlugins`: checks the options, reads the plugins, and starts them.
import { realpath } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Ask } from './ask.js'
import { PluginError } from './errors.js'
import { Grants } from './grants.js'
import type { PluginBus, PluginFrontendOptions, PluginInfo } from './plugin.js'
import { Plugins } from './plugins.js'
import type { RequestedPermission } from './requests.js'

/** A file or directory: a file URL, or an absolute path. */
export type PluginLocation = string | URL

/** Options of `openPlugins`. */
export interface PluginsOptions {
  /** Directory whose directories are plugins, also those in a directory of a scope: `@acme/x`. `install` puts packages there. */
  directory?: PluginLocation
  /** Directories of further plugins. */
  packages?: readonly PluginLocation[]
  /** File of grants, which is created. Without it they are kept in memory. */
  grants?: PluginLocation
  /** Decides about a plugin without a grant for its present content. Without it such a plugin is refused. */
  ask?: Ask
  /** Milliseconds after which a question without an answer is a refusal. @default 300000 */
  askTimeout?: number
  /** Plugins that are started: all, none, or those for which it returns true. @default true */
  enable?: boolean | ((plugin: PluginInfo) => boolean)
  /** Options of the frontend of each plugin. @default { sandbox: 'process' } */
  frontend?: PluginFrontendOptions | ((plugin: PluginInfo) => PluginFrontendOptions)
  /**
   * Permissions that a manifest can request, by your names for them, with what they allow. Without it a manifest names permissions and
   * commands of the bus.
   *
   * @example { storage: ['fs:own'], notices: ['notify'] }
   */
  permissions?: Readonly<Record<string, readonly RequestedPermission[]>>
  /** Version of your API for plugins, which has to be in the range `apiVersion` of a manifest. */
  apiVersion?: string
  /** Begin of all labels: keeps plugins apart from your own frontends, and from capabilities for their labels. @default '' */
  prefix?: string
}

const NAMES = 'directory packages grants ask askTimeout enable frontend permissions apiVersion prefix'.split(' ')
/** The longest time of a timer in Node. */
const MAX_MS = 2 ** 31 - 1

/**
 * Reads plugins, asks for the rights that they request, and starts each as a frontend of the bus. Resolves when each has started or has not:
 * `list()` says which, and why. A plugin that fails does not affect the others.
 *
 * @throws {PluginError} InvalidOption; InvalidGrants if the file of grants is malformed; Node's error for a missing directory
 * @example const plugins = await openPlugins(bus, { directory: new URL('./plugins/', import.meta.url), ask: () => true })
 */
export async function openPlugins(bus: PluginBus, options: PluginsOptions): Promise<Plugins> {
  for (const name of Object.keys(options))
    if (!NAMES.includes(name)) throw invalid(name, `is not known. Use ${NAMES.join(', ')}`)
  const { ask, askTimeout = 300_000, enable = true, frontend = {}, permissions, apiVersion, prefix = '' } = options
  if (!(askTimeout > 0 && askTimeout <= MAX_MS)) throw invalid('askTimeout', `must be from 1 to ${MAX_MS} ms`)
  if (!/^[\w/:-]{0,40}$/.test(prefix)) throw invalid('prefix', 'must be at most 40 characters of a label')
  if (ask !== undefined && typeof ask !== 'function') throw invalid('ask', 'must be a function')
  if (options.directory === undefined && !options.packages) throw invalid('directory', 'is missing, and packages too')
  const directory = options.directory && (await realpath(toPath('directory', options.directory)))
  const grants = new Grants(options.grants && toPath('grants', options.grants))
  await grants.read()
  const plugins = new Plugins({
    ...{ bus, ask, askTimeout, permissions, prefix, directory },
    grants,
    packages: (options.packages ?? []).map(each => toPath('packages', each)),
    rules: { known: permissions && new Set(Object.keys(permissions)), apiVersion },
    getOptions: plugin => (typeof frontend === 'function' ? frontend(plugin) : frontend),
  })
  await plugins.read()
  const isWanted = (plugin: PluginInfo): boolean =>
    plugin.state !== 'invalid' && (typeof enable === 'function' ? enable(plugin) : enable)
  const wanted = plugins.list().filter(isWanted)
  // `list` has the errors.
  await Promise.all(wanted.map(({ label }) => plugins.enable(label).catch(() => {})))
  return plugins
}

function toPath(name: string, location: PluginLocation): string {
  if (location instanceof URL || location.startsWith('file:')) return fileURLToPath(location)
  if (isAbsolute(location)) return location
  throw invalid(name, `must be a file URL or an absolute path, not ${JSON.stringify(location)}`)
}

const invalid = (name: string, text: string): PluginError =>
  new PluginError('InvalidOption', `openPlugins: ${name} ${text}`)
