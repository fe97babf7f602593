// One benchmark for both sides: the head's own, beside the libraries of the side that it measures. A module finds what it
// imports by where it lies, so the harness is copied, and its node_modules lead to the side's Sallyport, and to the head's
// everything else.
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { UsageError } from '../command/usage.js'

const OURS = '@sallyport/'
const CORE = '@sallyport/core'

/** This package's own folder. */
const ownFolder = fileURLToPath(new URL('../../', import.meta.url))

interface Manifest {
  dependencies: Record<string, string>
  files: string[]
}

export interface Harness {
  /** The module that a fresh process runs. */
  entry: URL
  /** Where the libraries lie that are measured. */
  libraries: string[]
}

/**
 * @param folder where to make it; has to be empty
 * @param checkout the side's folder; without one the head, which is what this package finds itself
 * @throws UsageError where the checkout has no Sallyport that could be measured
 */
export function makeHarness(folder: string, checkout?: string): Harness {
  const { dependencies, files } = JSON.parse(readFileSync(join(ownFolder, 'package.json'), 'utf8')) as Manifest
  const found = Object.keys(dependencies)
    .map((name): [name: string, path: string] => {
      const isSide = name.startsWith(OURS) && checkout !== undefined
      return [name, isSide ? findIn(checkout, name) : findAbove(ownFolder, name)]
    })
    // What came later than the side is not measured there.
    .filter(([, path]) => path !== '')
  if (!found.some(([name]) => name === CORE)) {
    throw new UsageError(`--base: ${checkout} has no ${CORE}. Is it installed and built there?`)
  }
  const bench = within(
    folder,
    found.map(([, path]) => storeOf(path)),
  )
  for (const name of ['package.json', ...files.filter(name => !name.startsWith('!'))]) {
    cpSync(join(ownFolder, name), join(bench, name), { recursive: true })
  }
  for (const [name, path] of found) link(path, join(bench, 'node_modules', name))
  return {
    entry: pathToFileURL(join(bench, 'dist', 'process.js')),
    libraries: found.filter(([name]) => name.startsWith(OURS)).map(([, path]) => path),
  }
}

/**
 * A folder below this one, above which a node_modules leads to each of the stores: a frontend in its sandbox may read what is in
 * the node_modules above its module, by their real paths, and no other place that a link leads to.
 */
function within(folder: string, stores: readonly string[]): string {
  let at = folder
  for (const store of new Set(stores.filter(Boolean))) {
    link(store, join(at, 'node_modules'))
    at = join(at, 'in')
  }
  return at
}

/** The outermost node_modules that a package lies in; empty for one of a workspace. */
const storeOf = (path: string): string => /^.*?[\\/]node_modules(?=[\\/])/.exec(path)?.[0] ?? ''

function link(to: string, at: string): void {
  mkdirSync(dirname(at), { recursive: true })
  symlinkSync(to, at, 'junction')
}

/** In a checkout of Sallyport, or a project that has it installed. */
function findIn(checkout: string, name: string): string {
  const places = ['packages/bench', '.', 'node_modules/@sallyport/bench'].map(place => join(checkout, place))
  for (const place of places.filter(existsSync)) {
    const found = findAbove(realpathSync(place), name, realpathSync(checkout))
    if (found !== '') return found
  }
  return ''
}

/**
 * @param limit does not look above this folder: a checkout may lie within another
 * @returns the package's real folder, or an empty text
 */
function findAbove(from: string, name: string, limit?: string): string {
  for (let at = resolve(from); ; at = dirname(at)) {
    if (limit !== undefined && !isWithin(limit, at)) return ''
    const found = join(at, 'node_modules', name)
    if (existsSync(join(found, 'package.json'))) return realpathSync(found)
    if (dirname(at) === at) {
      if (limit !== undefined) return ''
      throw new Error(`${name} is not installed beside the benchmark`)
    }
  }
}

const isWithin = (folder: string, path: string): boolean => {
  const way = relative(folder, path)
  return way === '' || (!way.startsWith(`..${sep}`) && way !== '..')
}
