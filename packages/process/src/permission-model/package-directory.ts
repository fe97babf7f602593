// The directory of the package that a frontend's module belongs to, which the frontend can read.
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Directories below a package that have the module's code. */
const CODE_DIRECTORY = /^(?:build|cjs|dist|esm|lib|out|src)$/

/**
 * Returns the directory of the nearest `package.json` above a module, or the module's own directory.
 *
 * What is in a directory above was not written by the plugin's author unless it is the same package: a plugin without a
 * `package.json` must not get the files of the application that contains it, or those of its neighbors. So the `package.json`
 * counts only if it names the module, or if the module is in a directory with a usual name for code. It never counts if its
 * directory contains the host.
 *
 * @param path - the real path of the module
 * @param hostFiles - files and directories of the host
 */
export function getPackageDirectory(path: string, hostFiles: readonly string[]): string {
  const directory = dirname(path)
  let root = directory
  while (!existsSync(join(root, 'package.json'))) {
    const parent = dirname(root)
    if (parent === root || basename(root) === 'node_modules') return directory
    root = parent
  }
  const place = relative(root, directory)
  if (place === '') return directory
  if (!place.split(sep).every(name => CODE_DIRECTORY.test(name)) && !namesModule(root, path)) return directory
  return [...hostFiles, ...getHostFiles()].some(file => contains(root, file)) ? directory : root
}

/** True if one of the entries of a package is the module. */
function namesModule(root: string, path: string): boolean {
  const module = relative(root, path).replaceAll(sep, '/')
  const isModule = (value: unknown): boolean => {
    if (typeof value === 'string') return value.replace(/^\.\//, '') === module
    return typeof value === 'object' && value !== null && Object.values(value).some(isModule)
  }
  try {
    const { main, module, exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >
    return [main, module, exports, bin].some(isModule)
  } catch {
    return false
  }
}

/** Returns the paths that show where the host is: its program, its working directory, this package; and directories of the user. */
export function getHostFiles(): string[] {
  const files = [process.argv[1], process.cwd(), fileURLToPath(import.meta.url), homedir(), tmpdir()]
  return files.flatMap(file => {
    try {
      return file === undefined ? [] : [realpathSync(file)]
    } catch {
      return []
    }
  })
}

const contains = (directory: string, file: string): boolean =>
  file === directory || file.startsWith(directory.endsWith(sep) ? directory : directory + sep)
