// Reads one file of a configuration: JSON, JSON5 or TOML, as its name says. A `.json` file may be JSON5 as well: Tauri
// takes comments in one, and so do editors.
import { isUtf8 } from 'node:buffer'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BusError } from '@sallyport/protocol'
import JSON5 from 'json5'
import { parse as parseToml, TomlError } from 'smol-toml'
import type { AclSource } from '../../acl/types.js'

/** What is wrong, counted from 1. */
interface Mistake {
  line: number
  column: number
  text: string
}

/** @throws BusError `InvalidParams`, with the file, line and column of what can't be parsed. */
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
    const { line, column, text: why } = isToml ? tomlMistake(cause) : json5Mistake(cause)
    const format = isToml ? 'TOML' : path.endsWith('5') ? 'JSON5' : 'JSON'
    throw new BusError('InvalidParams', `${path}:${line}:${column}: not ${format}: ${why}`, { cause })
  }
}

/** JSON's own parser is many times faster, and the manifests of an app's plugins are large; it doesn't say a line. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return JSON5.parse(text)
  }
}

function json5Mistake(error: unknown): Mistake {
  const { lineNumber, columnNumber, message } = error as { lineNumber: number; columnNumber: number; message: string }
  return { line: lineNumber, column: Math.max(1, columnNumber), text: message.replace(/^JSON5: | at \d+:\d+$/g, '') }
}

function tomlMistake(error: unknown): Mistake {
  if (!(error instanceof TomlError)) throw error
  const text = error.message.split('\n', 1)[0]!.replace('Invalid TOML document: ', '')
  return { line: error.line, column: error.column, text }
}

// Reads files of capabilities and of permissions, alone or from a folder with all that are in it. What they hold is not
// looked at here.

const EXTENSIONS = ['.json', '.json5', '.toml']
/** Tauri writes JSON schemas beside the files that follow them. */
const SCHEMAS = 'schemas'

/**
 * @param what the option that names it, for error texts
 * @throws BusError `InvalidParams` where there is no such file or folder, or a file can't be parsed
 */
export async function readFileOrFolder(what: string, url: URL): Promise<AclSource[]> {
  const path = fileURLToPath(url)
  const found = await stat(path).catch((cause: unknown) => {
    throw new BusError('InvalidParams', `${what}: there is no file or folder ${path}`, { cause })
  })
  if (found.isDirectory()) return readFolder(path)
  if (!EXTENSIONS.includes(extname(path))) {
    throw new BusError('InvalidParams', `${what}: ${path} is no file of ${EXTENSIONS.join(', ')}`)
  }
  return [await readSource(path)]
}

/** Every file in a folder and the folders in it, in the order of their paths; none where there is no folder. */
export async function readFolder(folder: string): Promise<AclSource[]> {
  const paths = await filesIn(folder, new Set())
  return Promise.all(paths.toSorted().map(readSource))
}

/**
 * Links are followed, as in Tauri: a capability that nobody reads would deny nothing.
 *
 * @param seen real paths of folders, so that a link to a folder above ends
 */
async function filesIn(folder: string, seen: Set<string>): Promise<string[]> {
  const real = await realpath(folder).catch(() => folder)
  if (seen.has(real)) return []
  seen.add(real)
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw new BusError('InvalidParams', `createBus: ${folder} can't be read: ${cause.code}`, { cause })
  })
  const paths = entries.map(async (entry): Promise<string[]> => {
    const path = join(folder, entry.name)
    const isWanted = EXTENSIONS.includes(extname(path)) && basename(folder) !== SCHEMAS
    const target = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry
    if (target?.isDirectory()) return filesIn(path, seen)
    // A link that leads nowhere is read as well: that it can't be is then said.
    return isWanted && (target?.isFile() ?? true) ? [path] : []
  })
  return (await Promise.all(paths)).flat()
}

const readSource = async (path: string): Promise<AclSource> => ({ value: await readConfigFile(path), from: path })

// JSON Merge Patch (RFC 7396): how Tauri lays a platform's configuration over the common one.

/** Neither value is changed. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const merged = new Map(Object.entries(isObject(target) ? target : {}))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else merged.set(name, mergePatch(merged.get(name), value))
  }
  return Object.fromEntries(merged)
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
