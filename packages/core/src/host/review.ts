// Reads the options as `createBus` would, and says who may call what.
import { describeThrown } from '@sallyport/protocol'
import { explain, type Explanation } from '../authority/explain.js'
import type { CoreDefinition } from '../define.js'
import { definitionOf } from '../definition.js'
import { checkFiles } from './files.js'
import { namedCommands } from './named-commands.js'
import type { BusOptions, ModuleLocation } from './options.js'
import { resolveOptions } from './resolve-options.js'

/** Those options of `createBus` that capabilities come from. */
export interface ExplainOptions extends Pick<BusOptions, 'config' | 'app' | 'permissions' | 'unknownPermissions'> {
  /** Whose commands they are. Without it, the app's commands are those that capabilities name. */
  core?: ModuleLocation | CoreDefinition
  /** Whose rights; without them, those of all labels that capabilities name, a glob standing for what it matches. */
  labels?: readonly string[]
}

export async function review({ core, labels, ...security }: ExplainOptions): Promise<Explanation> {
  const module = isLocation(core) ? core : undefined
  // Without a module, its place is taken by one that is not looked for.
  const options = await resolveOptions({ ...security, core: module ?? 'data:text/javascript,' })
  await checkFiles(options)
  const { acl, pattern } = options
  const given = module === undefined ? (core as CoreDefinition | undefined) : await load(options.core.href)
  const definition = given ?? { commands: namedCommands(acl) }
  return explain({ acl, pattern, core: definition, ...(labels && { labels }) })
}

const isLocation = (core: ExplainOptions['core']): core is ModuleLocation =>
  typeof core === 'string' || core instanceof URL

async function load(url: string): Promise<CoreDefinition> {
  const module: { default?: unknown } = await import(url).catch((error: unknown) => {
    throw new Error(`The core module ${url} can’t be loaded: ${describeThrown(error)}`, { cause: error })
  })
  return definitionOf(module, url)
}
