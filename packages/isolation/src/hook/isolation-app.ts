// Loads a Tauri isolation app unchanged: `index.html` and its scripts, inline and external, read once at the start. Mistakes are
// reported by file and line, before any message waits for a hook. Imports no sandbox.
import { readFile, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BusError } from '@sallyport/protocol/internal/errors'
import type { Parser } from 'htmlparser2'
// The entry of the parser alone: with the package's main entry, each start takes 13 ms longer.
import { WritableStream } from 'htmlparser2/WritableStream'
import { findSyntaxError } from '../compartment/diagnostics.js'
import type { IsolationScript } from '../compartment/hook-sandbox.js'

/** One script element: `src` as written, or the text between its tags. */
interface ScriptElement {
  /** Counts from 1. */
  readonly line: number
  readonly src: string | undefined
  readonly text: string
  readonly module: boolean
}

/** HTML's list of JavaScript MIME types: https://mimesniff.spec.whatwg.org/#javascript-mime-type */
const JAVASCRIPT =
  /^(?:(?:application|text)\/(?:x-)?(?:java|ecma)script|text\/(?:jscript|livescript|javascript1\.[0-5]))$/
/** Elements whose scripts do not run: a template's content is inert, and noscript is for browsers without scripts. */
const INERT = new Set(['template', 'noscript'])

/**
 * Returns the scripts of a document in document order, which is the order in which a browser runs them. `async` and `defer` change
 * nothing, because there is no network to wait for. `nomodule` scripts are skipped, as in current browsers.
 */
function findScripts(html: string): ScriptElement[] {
  const scripts: ScriptElement[] = []
  let open: Omit<ScriptElement, 'text'> | undefined
  let text = ''
  let inertDepth = 0
  let line = 1
  let countedTo = 0
  const getLine = (offset: number): number => {
    for (; countedTo < offset; countedTo += 1) if (html.charCodeAt(countedTo) === 10) line += 1
    return line
  }
  let parser!: Parser
  const input = new WritableStream({
    onparserinit(created) {
      parser = created
    },
    onopentag(name, attributes) {
      if (INERT.has(name)) inertDepth += 1
      if (name !== 'script' || inertDepth > 0) return
      const kind = getKind(attributes)
      if (kind === 'data') return
      // The line on which the tag ends, because an inline script begins there.
      open = { line: getLine(parser.endIndex), src: attributes['src'], module: kind === 'module' }
      text = ''
    },
    ontext(data) {
      if (open) text += data
    },
    onclosetag(name) {
      if (INERT.has(name)) inertDepth -= 1
      if (name !== 'script' || !open) return
      scripts.push({ ...open, text })
      open = undefined
    },
  })
  input.write(html)
  parser.end()
  return scripts
}

/** Follows https://html.spec.whatwg.org/multipage/scripting.html#prepare-the-script-element, steps 8 to 11 and 21. */
function getKind(attributes: Record<string, string>): 'classic' | 'module' | 'data' {
  const { type, language, nomodule } = attributes
  let mime = 'text/javascript'
  if (type !== undefined) mime = type.trim().toLowerCase() || mime
  else if (language) mime = `text/${language.toLowerCase()}`
  if (mime === 'module') return 'module'
  return JAVASCRIPT.test(mime) && nomodule === undefined ? 'classic' : 'data'
}

export interface IsolationApp {
  /** The directory as configured. */
  readonly dir: string
  /** In the order in which they run. */
  readonly scripts: readonly IsolationScript[]
}

const INDEX = 'index.html'

/**
 * Reads an isolation app (Tauri's `pattern.options.dir`), and compiles its scripts without running them.
 *
 * @throws {BusError} `InvalidParams` that names the file if the directory, its index.html or a script is missing. Scripts must be in
 * the directory, and classic JavaScript
 */
export async function loadIsolationApp(dir: URL | string): Promise<IsolationApp> {
  const directory = toDirectory(dir)
  const root = await realpath(directory).catch(error => fail(`directory ${directory} not found${describeCode(error)}`))
  if (!(await stat(root)).isDirectory()) fail(`${directory} is not a directory`)
  const index = join(directory, INDEX)
  const html = await read(join(root, INDEX)).catch(error => fail(`${index} cannot be read${describeCode(error)}`))
  const scripts: IsolationScript[] = []
  let inlineCount = 0
  for (const element of findScripts(html)) {
    const place = `${index}:${element.line}`
    if (element.module) {
      fail(`${place}: <script type="module">: ES modules don't run in the sandbox, use a classic script`)
    }
    if (element.src === undefined) inlineCount += 1
    scripts.push(
      element.src === undefined
        ? checkSyntax({ name: `${INDEX}:inline#${inlineCount}`, source: element.text }, index, element.line)
        : await loadExternalScript(element, directory, root, place),
    )
  }
  if (scripts.length === 0) fail(`${index} has no script: nothing in it sets window.__TAURI_ISOLATION_HOOK__`)
  return { dir: directory, scripts }
}

async function loadExternalScript(
  element: ScriptElement,
  directory: string,
  root: string,
  place: string,
): Promise<IsolationScript> {
  const src = element.src?.trim() ?? ''
  const tag = `${place}: <script src="${src}">`
  const path = toPath(src, tag)
  const target = resolve(root, path)
  const failToRead = (error: unknown): never =>
    fail(`${tag}: ${join(directory, path)} cannot be read${describeCode(error)}`)
  if (!isWithin(root, target)) fail(`${tag} leads out of ${directory}`)
  // A symbolic link can lead out of the directory.
  const file = await realpath(target).catch(failToRead)
  if (!isWithin(root, file)) fail(`${tag} leads out of ${directory}`)
  const source = await read(file).catch(failToRead)
  const name = relative(root, target).replaceAll(sep, '/')
  return checkSyntax({ name, source }, join(directory, name), 1)
}

/** Returns the path that a relative `src` names. Tauri serves the directory as the root of an origin, so `/x.js` is in the directory. */
function toPath(src: string, tag: string): string {
  if (src === '') fail(`${tag} is empty`)
  if (/^[a-z][a-z0-9+.-]*:/i.test(src) || /^[\\/]{2}/.test(src)) {
    fail(`${tag} is an absolute URL: scripts are loaded only from the isolation app's own directory`)
  }
  const [path = ''] = src.split(/[?#]/, 1)
  try {
    return decodeURIComponent(path.replaceAll('\\', '/')).replace(/^\/+/, '')
  } catch {
    return fail(`${tag} is not a valid URL`)
  }
}

function checkSyntax(script: IsolationScript, file: string, firstLine: number): IsolationScript {
  const error = findSyntaxError(script.source, file, firstLine)
  if (error) fail(`${error.place}: ${error.message} (${script.name} must run as a classic script, in strict mode)`)
  return script
}

function toDirectory(dir: URL | string): string {
  if (typeof dir === 'string' && !dir.startsWith('file:')) return dir
  try {
    return fileURLToPath(dir)
  } catch {
    return fail(`its directory must be a path or a file: URL, not ${String(dir)}`)
  }
}

const read = async (file: string): Promise<string> => (await readFile(file, 'utf8')).replace(/^\uFEFF/, '')

function isWithin(root: string, file: string): boolean {
  const path = relative(root, file)
  return path !== '' && path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path)
}

function describeCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  return code === undefined ? '' : code === 'ENOENT' ? ': it does not exist' : ` (${code})`
}

function fail(problem: string): never {
  throw new BusError('InvalidParams', `Isolation app: ${problem}`)
}
