// Reads the options as `createBus` would, and says who may call what.
import { describeThrown, explainTypeScript } from '@sallyport/protocol'
import { explain, type Explanation } from '../acl/explain.js'
import { type AclInput, APP_KEY, splitCapabilities } from '../acl/types.js'
import type { Commands, CoreDefinition } from '../api/define.js'
import { getDefinition } from '../api/validate-definition.js'
import type { ModuleLocation } from './options/location.js'
import { checkFiles, resolveOptions } from './options/resolve.js'
import type { BusOptions } from './options/types.js'

// Without a core module nobody knows its commands. Those that capabilities and sets name by their generated permissions
// (`allow-greet`) are taken to be there, so that who may call them is said all the same.

/** Tauri's generated names have `-` for `_`, and commands in Rust have no `-`. */
function namedCommands({ capabilities, permissionFiles, manifests }: AclInput): Commands {
  const files = permissionFiles.filter(({ plugin }) => plugin === undefined).map(({ value }) => value)
  const app = member(manifests?.value, APP_KEY)
  const defined = new Set([
    ...files.flatMap(file => list(file, 'permission')).map(permission => member(permission, 'identifier')),
    ...Object.keys((member(app, 'permissions') ?? {}) as object),
  ])
  const sets = files.flatMap(file => [member(file, 'default'), ...list(file, 'set')])
  const holders = [...capabilities.flatMap(splitCapabilities).map(({ value }) => value), ...sets]
  const entries = holders.flatMap(holder => list(holder, 'permissions'))
  const names = entries.flatMap(entry => {
    const identifier = typeof entry === 'string' ? entry : member(entry, 'identifier')
    if (typeof identifier !== 'string' || defined.has(identifier)) return []
    return /^(?:allow|deny)-([a-z0-9-]+)$/.exec(identifier)?.[1]?.replaceAll('-', '_') ?? []
  })
  return Object.fromEntries(names.map(name => [name, () => {}]))
}

/** What is in these files is checked later. */
const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined

function list(value: unknown, name: string): readonly unknown[] {
  const found = member(value, name)
  return Array.isArray(found) ? found : []
}

/** Those options of `createBus` that capabilities come from. */
export interface ExplainOptions extends Pick<BusOptions, 'config' | 'app' | 'permissions' | 'unknownPermissions'> {
  /** Whose commands they are. Without it, the app's commands are those that capabilities name. */
  core?: ModuleLocation | CoreDefinition
  /** Whose rights; without them, those of all labels that capabilities name, a glob standing for what it matches. */
  labels?: readonly string[]
}

export async function explainProject({ core, labels, ...security }: ExplainOptions): Promise<Explanation> {
  const options = await resolveOptions({ ...security, core: core ?? {} })
  await checkFiles('createBus', options)
  const { acl, pattern } = options
  const given = options.core instanceof URL ? await load(options.core.href) : options.core
  const definition = core === undefined ? { commands: namedCommands(acl) } : given
  return explain({ acl, pattern, core: definition, ...(labels && { labels }) })
}

async function load(url: string): Promise<CoreDefinition> {
  const module: { default?: unknown } = await import(/* webpackIgnore: true */ /* @vite-ignore */ url).catch(
    (error: unknown) => {
      throw new Error(`The core module ${url} can’t be loaded: ${describeThrown(explainTypeScript(error))}`, {
        cause: error,
      })
    },
  )
  return getDefinition(module, url)
}
