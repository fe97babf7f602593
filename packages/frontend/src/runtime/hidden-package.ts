// A package that is linked from elsewhere, and that a wall hides: the link is there, and what it names is not.
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Node's texts for `import` and for `require`. */
const MISSING = [
  /^Cannot find package '([^']+)' imported from (\S.*)/,
  /^Cannot find module '([^']+)'\nRequire stack:\n- (.+)/,
]

/** Returns the directory of a package that was not found, if a `node_modules` has a link to it that leads nowhere. */
export function findHiddenPackage(message: string): string | undefined {
  const [, name, importer] = MISSING.map(text => text.exec(message)).find(Boolean) ?? []
  if (name === undefined || importer === undefined) return undefined
  const [scope = '', rest = ''] = name.split('/')
  const packageName = name.startsWith('@') ? `${scope}/${rest}` : scope
  const file = importer.startsWith('file:') ? fileURLToPath(importer) : importer
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    const target = getMissingTarget(join(directory, 'node_modules', packageName))
    if (target !== undefined || dirname(directory) === directory) return target
  }
}

/** Returns the path that a link names, if nothing is there. */
function getMissingTarget(link: string): string | undefined {
  const { existsSync, readlinkSync } = process.getBuiltinModule('node:fs')
  try {
    const target = resolve(dirname(link), readlinkSync(link))
    return isThere(target, existsSync) ? undefined : target
  } catch {
    // There is no such link, or it may not be read.
    return undefined
  }
}

/** The permission model throws for a path that it denies. */
function isThere(path: string, existsSync: (path: string) => boolean): boolean {
  try {
    return existsSync(path)
  } catch {
    return false
  }
}
