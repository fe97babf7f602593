// @ts-check
// What a plugin says of itself, in its manifest.json: who it is, where it begins, and what it asks for. It is input like any
// other: checked before anything is made of it.
import { readFile, realpath } from 'node:fs/promises'
import { isAbsolute, join, relative } from 'node:path'
import * as v from 'valibot'

/** What a plugin may ask for. What each of them means is the host's to say: see permissions.js. */
export const PERMISSIONS = /** @type {const} */ (['storage', 'documents', 'notify'])

const Manifest = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,39}$/, 'a name has a-z, 0-9 and "-"')),
  entry: v.string(),
  permissions: v.array(v.picklist(PERMISSIONS)),
})

/** @typedef {v.InferOutput<typeof Manifest> & { module: string }} Plugin `module` is the real path of its entry */

/**
 * @param {string} folder
 * @returns {Promise<Plugin>}
 */
export async function readPlugin(folder) {
  const text = await readFile(join(folder, 'manifest.json'), 'utf8')
  const { issues, output } = v.safeParse(Manifest, JSON.parse(text))
  if (issues) throw new Error(`${folder}: ${issues[0].message} (${v.getDotPath(issues[0]) ?? 'manifest'})`)
  const root = await realpath(folder)
  const module = await realpath(join(root, output.entry))
  const inside = relative(root, module)
  if (inside.startsWith('..') || isAbsolute(inside)) throw new Error(`${folder}: its entry is outside of it`)
  return { ...output, module }
}
