// Explains the capabilities of a project, with the options as `createBus` would read them.
import {
  checkOptions,
  describeThrown,
  explainTypeScript,
  type OptionChecks,
  STRINGS,
} from '@sallyport/protocol/internal/errors'
import { explain, type Explanation } from '../acl/explain.js'
import { type AclInput, APP_KEY, splitCapabilities } from '../acl/types.js'
import type { Commands, CoreDefinition } from '../api/define.js'
import { getDefinition } from '../api/validate-definition.js'
import type { ModuleLocation } from '../shared/locations.js'
import { checkFiles } from './check-files.js'
import { resolveOptions } from './resolve-options.js'
import type { BusOptions } from './types.js'

/** The options of `createBus` that decide about capabilities. */
export interface ExplainOptions extends Pick<BusOptions, 'config' | 'capabilities' | 'isolation' | 'permissions'> {
  /** The core that defines the commands. Without it, the app's commands are those that capabilities name. */
  core?: ModuleLocation | CoreDefinition
  /** The labels to explain. Without them, all labels that capabilities name, with an example for each glob. */
  labels?: readonly string[]
}

const OPTIONS: OptionChecks<ExplainOptions> = {
  ...{ config: undefined, capabilities: undefined, isolation: undefined, permissions: undefined, core: undefined },
  labels: STRINGS,
}

export async function explainProject(explained: ExplainOptions): Promise<Explanation> {
  const { core, labels, ...security } = checkOptions('explainCapabilities', explained, OPTIONS)
  const options = await resolveOptions({ ...security, core: core ?? {} })
  await checkFiles('createBus', options)
  const loaded = options.core instanceof URL ? await load(options.core.href) : options.core
  const definition = core === undefined ? { commands: inferCommands(options.acl) } : loaded
  return explain({ acl: options.acl, core: definition, ...(labels && { labels }) })
}

async function load(url: string): Promise<CoreDefinition> {
  const module: unknown = await import(/* webpackIgnore: true */ /* @vite-ignore */ url).catch((cause: unknown) => {
    const text = `The core module ${url} could not be loaded: ${describeThrown(explainTypeScript(cause))}`
    throw new Error(text, { cause })
  })
  return getDefinition(module as { default?: unknown }, url)
}

/**
 * Assumes that each command exists whose generated permission (`allow-greet`) is named by a capability or a set. Tauri's generated
 * names have `-` for `_`, and commands in Rust have no `-`.
 */
function inferCommands({ capabilities, permissionFiles, manifests }: AclInput): Commands {
  const files = permissionFiles.filter(({ plugin }) => plugin === undefined).map(({ value }) => value)
  const app = getProperty(manifests?.value, APP_KEY)
  const defined = new Set([
    ...files.flatMap(file => getArray(file, 'permission')).map(permission => getProperty(permission, 'identifier')),
    ...Object.keys(getProperty(app, 'permissions') ?? {}),
  ])
  const sets = files.flatMap(file => [getProperty(file, 'default'), ...getArray(file, 'set')])
  const holders = [...capabilities.flatMap(splitCapabilities).map(({ value }) => value), ...sets]
  const entries = holders.flatMap(holder => getArray(holder, 'permissions'))
  const names = entries.flatMap(entry => {
    const identifier = typeof entry === 'string' ? entry : getProperty(entry, 'identifier')
    if (typeof identifier !== 'string' || defined.has(identifier)) return []
    return /^(?:allow|deny)-([a-z0-9-]+)$/.exec(identifier)?.[1]?.replaceAll('-', '_') ?? []
  })
  return Object.fromEntries(names.map(name => [name, () => {}]))
}

/** Tolerates any value: the files are validated later. */
const getProperty = (value: unknown, name: string): unknown => (Object(value) as Record<string, unknown>)[name]

function getArray(value: unknown, name: string): readonly unknown[] {
  const property = getProperty(value, name)
  return Array.isArray(property) ? property : []
}
