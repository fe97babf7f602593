// What `sallyport-acl` prints: who may call what in a project.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { renderExplanation } from '../authority/explain-text.js'
import type { Explanation } from '../authority/explain.js'
import { review } from '../host/review.js'
import { UsageError, type AclCliOptions } from './options.js'

/** @throws what `createBus` would throw, and UsageError */
export async function explain({ project, core, labels, unknownPermissions, json }: AclCliOptions): Promise<string> {
  const given = { config: find(project), unknownPermissions, ...(core !== undefined && { core: resolve(core) }) }
  const says = (of: readonly string[]): Promise<Explanation> =>
    review({ ...given, ...(of.length > 0 && { labels: of }) })
  const named = await says(labels)
  // Where no capability names a frontend, it is the same for all of them.
  const explanation = named.frontends.length > 0 ? named : await says(['*'])
  return json ? `${JSON.stringify(explanation, null, 2)}\n` : renderExplanation(explanation)
}

/** From a project's own folder too: the configuration is in `src-tauri`, unless it says otherwise. */
function find(project: string): string {
  const path = resolve(project)
  if (!existsSync(path)) throw new UsageError(`there is no file or folder ${path}`)
  const inside = join(path, 'src-tauri')
  return existsSync(inside) ? inside : path
}
