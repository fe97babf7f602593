// Names and versions, as published: this package's own, and those of what it is compared with.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

interface PackageInfo {
  name: string
  version: string
}

const readFrom = (file: URL): PackageInfo => JSON.parse(readFileSync(file, 'utf8')) as PackageInfo

export function readPackageInfo(): PackageInfo {
  const { name, version } = readFrom(new URL('../../package.json', import.meta.url))
  return { name, version }
}

/** The version of a dependency that is installed. Not every package lets its package.json be imported by name. */
export function readVersionOf(dependency: string): string {
  const folders = createRequire(import.meta.url).resolve.paths(dependency) ?? []
  const files = folders.map(folder => join(folder, dependency, 'package.json'))
  const found = files.find(file => existsSync(file))
  if (found === undefined) throw new Error(`${dependency} is not installed`)
  return readFrom(pathToFileURL(found)).version
}
