// The text of a script in QuickJS: from a file, a data: URL, or the host; and of the modules that it can import.
import { readFile } from 'node:fs/promises'
import { basename, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ModuleText } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { isTypeScriptName, stripTypes } from '@sallyport/protocol/internal/util'
import { MAX_SOURCE_LENGTH } from '@sallyport/protocol/internal/wire'
import { getImportRemedy } from './explain-error.js'

export interface ScriptText {
  /** The script's name in stacks, which contain no path. */
  readonly name: string
  /** The script's name in error texts: a path, or `data:…`. */
  readonly place: string
  readonly text: string
}

/** @param content - the content of its file, if this thread must not read the file @throws {BusError} LoadFailed */
export async function readScriptText(url: string, module?: ModuleText, content?: string): Promise<ScriptText> {
  const isFile = url.startsWith('file:')
  const place = module?.name ?? (isFile ? fileURLToPath(url) : 'data:…')
  const text = module?.text ?? (content ?? (await read(url, place))).replace(/^\uFEFF/, '').replace(/^#!/, '//')
  if (text.length > MAX_SOURCE_LENGTH) {
    throw createScriptError(place, `it is longer than ${MAX_SOURCE_LENGTH} characters`)
  }
  return { name: module?.name ?? (isFile ? basename(place) : 'inline'), place, text }
}

/**
 * Returns the code of a script, without types if its name is that of TypeScript.
 *
 * @param isBody - whether it is the body of an async function
 * @throws {BusError} LoadFailed for code whose types cannot be removed
 */
export function toJavaScript(name: string, place: string, text: string, isBody: boolean): string {
  if (!isTypeScriptName(name)) return text
  const stripped = stripTypes(text, isBody)
  if (!stripped.mistake) return stripped.code
  const { position, message } = stripped.mistake
  throw createScriptError(`${place}${position}`, `it is not TypeScript that can run: ${message}`)
}

export const createScriptError = (place: string, problem: string): BusError =>
  new BusError('LoadFailed', `Frontend script ${place}: ${problem}`)

async function read(url: string, place: string): Promise<string> {
  if (url.startsWith('file:')) {
    return readFile(new URL(url), 'utf8').catch((cause: Error) => {
      throw createScriptError(place, `it cannot be read: ${cause.message}`)
    })
  }
  const found = /^data:[^,]*?(;base64)?,([^#]*)/.exec(url)
  if (!found) throw createScriptError(place, 'it must be a file: or data: URL')
  const [, base64, data = ''] = found
  return base64 === undefined ? decodeURIComponent(data) : Buffer.from(decodeURIComponent(data), 'base64').toString()
}

const CLIENT_MODULE = '@sallyport/frontend'
const CLIENT_EXPORTS = [
  ...['BusError', 'Channel', 'CommandError', 'createClient', 'emit', 'emitTo', 'expose', 'getData', 'getLabel'],
  ...['getSecret', 'invoke', 'isBusError', 'isCommandError', 'listen', 'once', 'stream'],
]
/** Names that a message lists. */
const MAX_LISTED = 10

/** The client, and the modules that the host has passed by name. */
export class ScriptModules {
  readonly #place: string
  readonly #codes: ReadonlyMap<string, string>

  /** @param place - the script's name in error texts @throws {BusError} LoadFailed if types cannot be removed */
  constructor(place: string, modules: Readonly<Record<string, string>> = {}) {
    this.#place = place
    this.#codes = new Map(Object.entries(modules).map(([name, code]) => [name, toJavaScript(name, name, code, false)]))
  }

  has(name: string): boolean {
    return this.#codes.has(name)
  }

  /** Returns the name that `specifier` stands for in the module `base`: a relative one is resolved against that name, as a path. */
  resolve(base: string, specifier: string): string {
    if (this.has(specifier) || !/^\.\.?\//.test(specifier)) return specifier
    return posix.join(posix.dirname(base), specifier)
  }

  /** @throws {string} because an error of this thread would have a stack with its paths */
  load(name: string): string {
    const code = this.#codes.get(name)
    if (code !== undefined) return code
    if (name === CLIENT_MODULE) return `export const { ${CLIENT_EXPORTS.join(', ')} } = sallyport`
    const names = [CLIENT_MODULE, ...[...this.#codes.keys()].map(each => JSON.stringify(each))]
    const listed = names.length > MAX_LISTED ? [...names.slice(0, MAX_LISTED), '…'] : names
    const bundle = `Bundle it: esbuild <file> --bundle --format=esm --external:${CLIENT_MODULE}, or pass its code in "modules"`
    throw `Cannot import ${JSON.stringify(name)}: ${this.#place} can import only ${listed.join(', ')}. ${getImportRemedy(name, bundle)}`
  }
}
