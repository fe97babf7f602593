// Reads files of configuration, capabilities and permissions: JSON, JSON5 or TOML. A `.json` file can be JSON5, as in Tauri.
import { isUtf8 } from 'node:buffer'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BusError } from '@sallyport/protocol/internal/errors'
import JSON5 from 'json5'
import { parse as parseToml, TomlError } from 'smol-toml'
import type { AclSource } from '../../acl/types.js'
import { isObject } from '../../shared/validate.js'

const EXTENSIONS = ['.json', '.json5', '.toml']
/** Tauri writes JSON schemas into a directory of this name. */
const SCHEMAS = 'schemas'

/** @throws {BusError} InvalidParams, with the path, line and column of a syntax error */
export async function readConfigFile(path: string): Promise<unknown> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new BusError('InvalidParams', `createBus: ${path} can't be read: ${cause.code}`, { cause })
  })
  if (!isUtf8(bytes)) throw new BusError('InvalidParams', `${path}: not UTF-8`)
  const text = bytes.toString()
  const isToml = path.endsWith('.toml')
  try {
    return isToml ? parseToml(text) : parseJson(text)
  } catch (cause) {
    const [line, column, problem] = isToml ? readTomlError(cause) : readJson5Error(cause)
    const format = isToml ? 'TOML' : path.endsWith('5') ? 'JSON5' : 'JSON'
    throw new BusError('InvalidParams', `${path}:${line}:${column}: not ${format}: ${problem}`, { cause })
  }
}

/** Tries `JSON.parse` first: it is many times faster, and manifests are large. Its errors have no line. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return JSON5.parse(text)
  }
}

/** Line and column count from 1. */
type Mistake = [line: number, column: number, text: string]

function readJson5Error(error: unknown): Mistake {
  const { lineNumber, columnNumber, message } = error as { lineNumber: number; columnNumber: number; message: string }
  return [lineNumber, Math.max(1, columnNumber), message.replace(/^JSON5: | at \d+:\d+$/g, '')]
}

function readTomlError(error: unknown): Mistake {
  if (!(error instanceof TomlError)) throw error
  return [error.line, error.column, error.message.split('\n', 1)[0]!.replace('Invalid TOML document: ', '')]
}

/** @param what - the option that names the file or directory, for error texts */
export async function readFileOrDirectory(what: string, url: URL): Promise<AclSource[]> {
  const path = fileURLToPath(url)
  const found = await stat(path).catch((cause: unknown) => {
    throw new BusError('InvalidParams', `${what}: there is no file or directory ${path}`, { cause })
  })
  if (found.isDirectory()) return readDirectory(path)
  if (!EXTENSIONS.includes(extname(path))) {
    throw new BusError('InvalidParams', `${what}: ${path} must have the extension ${EXTENSIONS.join(', ')}`)
  }
  return [await readSource(path)]
}

/** Reads every file in a directory and those below, in the order of their paths; nothing if the directory does not exist. */
export async function readDirectory(directory: string): Promise<AclSource[]> {
  const paths = await listFiles(directory, new Set())
  return Promise.all(paths.toSorted().map(readSource))
}

/**
 * Follows links, as Tauri does: a capability that is not read would deny nothing.
 *
 * @param visited - real paths of directories, to end at a link to a directory above
 */
async function listFiles(directory: string, visited: Set<string>): Promise<string[]> {
  const real = await realpath(directory).catch(() => directory)
  if (visited.has(real)) return []
  visited.add(real)
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw new BusError('InvalidParams', `createBus: ${directory} can't be read: ${cause.code}`, { cause })
  })
  const paths = entries.map(async (entry): Promise<string[]> => {
    const path = join(directory, entry.name)
    const isConfig = EXTENSIONS.includes(extname(path)) && basename(directory) !== SCHEMAS
    const target = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry
    if (target?.isDirectory()) return listFiles(path, visited)
    // A broken link is listed too: reading it fails with an error that names it.
    return isConfig && (target?.isFile() ?? true) ? [path] : []
  })
  return (await Promise.all(paths)).flat()
}

const readSource = async (path: string): Promise<AclSource> => ({ value: await readConfigFile(path), from: path })

/** Returns the target with a JSON Merge Patch (RFC 7396) applied, as Tauri merges configurations. Neither value is changed. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isTable(patch)) return patch
  const merged = new Map(Object.entries(isTable(target) ? target : {}))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else merged.set(name, mergePatch(merged.get(name), value))
  }
  return Object.fromEntries(merged)
}

/** TOML has dates. */
const isTable = (value: unknown): value is object => isObject(value) && !(value instanceof Date)
