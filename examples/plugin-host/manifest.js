// @ts-check
// Reads manifest.json: the plugin's name, entry and requested permissions. It is untrusted input, so it is validated first.
import { readFile, realpath } from 'node:fs/promises'
import { isAbsolute, join, relative } from 'node:path'
import * as v from 'valibot'

/** Permissions that a plugin can request. permissions.js defines their meaning. */
export const PERMISSIONS = /** @type {const} */ (['storage', 'documents', 'notify'])

const Manifest = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,39}$/, 'a name has a-z, 0-9 and "-"')),
  entry: v.string(),
  permissions: v.array(v.picklist(PERMISSIONS)),
})

/** @typedef {v.InferOutput<typeof Manifest> & { module: string }} Plugin `module` is the real path of its entry */

/**
 * @param {string} directory
 * @returns {Promise<Plugin>}
 */
export async function readPlugin(directory) {
  const text = await readFile(join(directory, 'manifest.json'), 'utf8')
  const { issues, output } = v.safeParse(Manifest, JSON.parse(text))
  if (issues) throw new Error(`${directory}: ${issues[0].message} (${v.getDotPath(issues[0]) ?? 'manifest'})`)
  const root = await realpath(directory)
  const module = await realpath(join(root, output.entry))
  const inside = relative(root, module)
  if (inside.startsWith('..') || isAbsolute(inside))
    throw new Error(`${directory}: its entry is outside of the directory`)
  return { ...output, module }
}
