// Names and versions, as published: this package's own, and those of what it is compared with.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

interface PackageInfo {
  name: string
  version: string
}

const readFrom = (file: URL): PackageInfo => JSON.parse(readFileSync(file, 'utf8')) as PackageInfo

export function readPackageInfo(): PackageInfo {
  const { name, version } = readFrom(new URL('../package.json', import.meta.url))
  return { name, version }
}

/** The version of a dependency that is installed. Not every package lets its package.json be imported by name. */
export function readVersionOf(dependency: string): string {
  const entry = createRequire(import.meta.url).resolve(dependency)
  const folder = `/node_modules/${dependency}/`
  const path = entry.replaceAll('\\', '/')
  return readFrom(pathToFileURL(path.slice(0, path.lastIndexOf(folder) + folder.length) + 'package.json')).version
}
