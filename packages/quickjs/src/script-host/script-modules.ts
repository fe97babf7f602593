// The modules that a script in QuickJS can import: the client, and those that the host has passed by name.
import { posix } from 'node:path'
import { toJavaScript } from './script-text.js'
import { getImportRemedy } from './explain-error.js'

const CLIENT_MODULE = '@sallyport/frontend'
const CLIENT_EXPORTS = [
  ...['BusError', 'Channel', 'CommandError', 'createClient', 'emit', 'emitTo', 'expose', 'getData', 'getLabel'],
  ...['getSecret', 'invoke', 'isBusError', 'isCommandError', 'listen', 'once', 'stream'],
]
/** Names that a message lists. */
const MAX_LISTED = 10

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
