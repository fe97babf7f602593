// Reads the options as `createBus` would, and says who may call what.
import { describeThrown, explainTypeScript } from '@sallyport/protocol'
import { explain, type Explanation } from '../authority/explain.js'
import type { CoreDefinition } from '../define.js'
import { definitionOf } from '../definition.js'
import { checkFiles } from './files.js'
import { namedCommands } from './named-commands.js'
import type { BusOptions } from './options.js'
import type { ModuleLocation } from './location.js'
import { resolveOptions } from './resolve-options.js'

/** Those options of `createBus` that capabilities come from. */
export interface ExplainOptions extends Pick<BusOptions, 'config' | 'app' | 'permissions' | 'unknownPermissions'> {
  /** Whose commands they are. Without it, the app's commands are those that capabilities name. */
  core?: ModuleLocation | CoreDefinition
  /** Whose rights; without them, those of all labels that capabilities name, a glob standing for what it matches. */
  labels?: readonly string[]
}

export async function review({ core, labels, ...security }: ExplainOptions): Promise<Explanation> {
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
  return definitionOf(module, url)
}
