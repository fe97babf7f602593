// Reads the project as `createBus` would, and says who may call what in it.
import { describeThrown } from '@sallyport/protocol'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { explainCapabilities, type ExplainOptions, type Explanation } from '../authority/explain.js'
import { renderExplanation } from '../authority/explain-text.js'
import { definitionOf } from '../definition.js'
import { checkFiles } from '../host/files.js'
import { resolveOptions } from '../host/resolve-options.js'
import { namedCommands } from './named-commands.js'
import { UsageError, type AclCliOptions } from './options.js'

/** @throws what `createBus` would throw, and UsageError */
export async function explain({ project, core, labels, unknownPermissions, json }: AclCliOptions): Promise<string> {
  const url = core === undefined ? undefined : pathToFileURL(resolve(core))
  // Without a core, its place is taken by a module that is not looked for.
  const given = { core: url ?? 'data:text/javascript,', config: find(project), unknownPermissions }
  const options = await resolveOptions(given)
  await checkFiles(options)
  const { acl, pattern } = options
  const definition = url ? await load(url.href) : { commands: namedCommands(acl) }
  const says = (given?: readonly string[]): Explanation =>
    explainCapabilities({ acl, pattern, core: definition, ...(given && { labels: given }) })
  const named = says(labels.length > 0 ? labels : undefined)
  // Where no capability names a frontend, it is the same for all of them.
  const explanation = named.frontends.length > 0 ? named : says(['*'])
  return json ? `${JSON.stringify(explanation, null, 2)}\n` : renderExplanation(explanation)
}

/** From a project's own folder too: the configuration is in `src-tauri`, unless it says otherwise. */
function find(project: string): string {
  const path = resolve(project)
  if (!existsSync(path)) throw new UsageError(`there is no file or folder ${path}`)
  const inside = join(path, 'src-tauri')
  return existsSync(inside) ? inside : path
}

async function load(url: string): Promise<NonNullable<ExplainOptions['core']>> {
  const module: { default?: unknown } = await import(url).catch((error: unknown) => {
    throw new Error(`The core module ${url} can’t be loaded: ${describeThrown(error)}`, { cause: error })
  })
  return definitionOf(module, url)
}
