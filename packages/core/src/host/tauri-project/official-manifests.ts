// Loads the manifests of Tauri's official plugins from their package, if it is installed. Tauri's build writes a project's own manifests
// to a file, so a project that is not built with Cargo has none.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AclSource } from '../../acl/types.js'

const PACKAGE = '@sallyport/tauri-plugins'

/** @param directories - where to look for the package, as Node does: there and in all directories above */
export async function loadOfficialManifests(directories: readonly string[]): Promise<AclSource | undefined> {
  const path = directories.map(findPackage).find(each => each !== undefined)
  if (path === undefined) return undefined
  const from = `${PACKAGE}/internal/acl`
  const { href } = pathToFileURL(createRequire(path).resolve(from))
  const module: unknown = await import(/* webpackIgnore: true */ /* @vite-ignore */ href)
  return { value: (module as { createManifests: () => unknown }).createManifests(), from }
}

/** Returns the path of the package.json. Not by `require.resolve` alone, which also finds packages of NODE_PATH. */
function findPackage(directory: string): string | undefined {
  const path = join(directory, 'node_modules', PACKAGE, 'package.json')
  if (existsSync(path)) return path
  const parent = dirname(directory)
  return parent === directory ? undefined : findPackage(parent)
}
