// Loads a Tauri isolation app as it is: `index.html` and its scripts, inline and external, read once at the start. What
// is wrong with it is said here, by file and line, before any message waits for a hook. Imports no sandbox.
import { readFile, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { BusError } from '@sallyport/protocol'
import type { Parser } from 'htmlparser2'
import { WritableStream } from 'htmlparser2/WritableStream'
import type { IsolationScript } from '../sandbox/hook-sandbox.js'

// Finds the classic scripts of an isolation app's index.html, in the order in which a browser runs them. What a browser
// would not run as a classic script is either data (left alone) or a mistake worth naming (a module).

// The one entry that loads the parser alone: with the package's own, its trees and tools take 13 ms more of each start.

/** One script element: `src` as written, or the text between its tags. `line` counts from 1. */
export interface ScriptElement {
  readonly line: number
  readonly src: string | undefined
  readonly text: string
  readonly module: boolean
}

// HTML's list of JavaScript MIME types (https://mimesniff.spec.whatwg.org/#javascript-mime-type).
const JAVASCRIPT =
  /^(?:(?:application|text)\/(?:x-)?(?:java|ecma)script|text\/(?:jscript|livescript|javascript1\.[0-5]))$/
// What stands in these is not run: a template's content is inert, noscript is for a browser without scripts.
const INERT = new Set(['template', 'noscript'])

/**
 * The scripts of a document, in document order. `async` and `defer` change nothing: without a network there is nothing
 * to wait for, and no document that could still be growing. `nomodule` scripts are skipped, as in any current browser.
 */
function findScripts(html: string): ScriptElement[] {
  const scripts: ScriptElement[] = []
  let open: { line: number; src: string | undefined; module: boolean } | undefined
  let text = ''
  let inert = 0
  let line = 1
  let counted = 0
  const lineAt = (offset: number): number => {
    for (; counted < offset; counted += 1) if (html.charCodeAt(counted) === 10) line += 1
    return line
  }
  let parser!: Parser
  const input = new WritableStream({
    onparserinit(given) {
      parser = given
    },
    onopentag(name, attributes) {
      if (INERT.has(name)) inert += 1
      if (name !== 'script' || inert > 0) return
      const kind = getKind(attributes)
      if (kind === 'data') return
      // The line on which the tag ends: the one that an inline script's first line belongs to.
      open = { line: lineAt(parser.endIndex), src: attributes['src'], module: kind === 'module' }
      text = ''
    },
    ontext(data) {
      if (open) text += data
    },
    onclosetag(name) {
      if (INERT.has(name)) inert -= 1
      if (name !== 'script' || !open) return
      scripts.push({ ...open, text })
      open = undefined
    },
  })
  input.write(html)
  parser.end()
  return scripts
}

// https://html.spec.whatwg.org/multipage/scripting.html#prepare-the-script-element, steps 8 to 11 and 21.
function getKind(attributes: Record<string, string>): 'classic' | 'module' | 'data' {
  const { type, language, nomodule } = attributes
  let mime = 'text/javascript'
  if (type !== undefined) mime = type.trim().toLowerCase() || mime
  else if (language) mime = `text/${language.toLowerCase()}`
  if (mime === 'module') return 'module'
  return JAVASCRIPT.test(mime) && nomodule === undefined ? 'classic' : 'data'
}

export interface IsolationApp {
  /** The folder, as it was given. */
  readonly dir: string
  /** In the order in which they run. */
  readonly scripts: readonly IsolationScript[]
}

const INDEX = 'index.html'

/**
 * Reads an isolation app (Tauri's `pattern.options.dir`). Scripts run in document order, `async` and `defer` or not;
 * `src` is a path within the folder. Each is compiled, not run.
 *
 * @throws BusError `InvalidParams` that names the file: no folder, no index.html, no script, a script that is missing,
 * outside the folder, elsewhere on a network, a module, or not JavaScript.
 */
export async function loadIsolationApp(dir: URL | string): Promise<IsolationApp> {
  const folder = getFolder(dir)
  const root = await realpath(folder).catch(error => fail(`there is no folder ${folder}${getCode(error)}`))
  if (!(await stat(root)).isDirectory()) fail(`${folder} is not a folder`)
  const index = join(folder, INDEX)
  const html = await read(join(root, INDEX)).catch(error => fail(`${index} can't be read${getCode(error)}`))
  const scripts: IsolationScript[] = []
  let inline = 0
  for (const element of findScripts(html)) {
    const place = `${index}:${element.line}`
    if (element.module) {
      fail(`${place}: <script type="module">: ES modules don't run in the sandbox, use a classic script`)
    }
    if (element.src === undefined) inline += 1
    scripts.push(
      element.src === undefined
        ? compiled({ name: `${INDEX}:inline#${inline}`, source: element.text }, index, element.line)
        : await external(element, folder, root, place),
    )
  }
  if (scripts.length === 0) fail(`${index} has no script: nothing in it sets window.__TAURI_ISOLATION_HOOK__`)
  return { dir: folder, scripts }
}

async function external(element: ScriptElement, folder: string, root: string, place: string): Promise<IsolationScript> {
  const src = element.src?.trim() ?? ''
  const what = `${place}: <script src="${src}">`
  const path = getPath(src, what)
  const named = resolve(root, path)
  if (!isWithin(root, named)) fail(`${what} leads out of ${folder}`)
  const file = await realpath(named).catch(error =>
    fail(`${what}: ${join(folder, path)} can't be read${getCode(error)}`),
  )
  if (!isWithin(root, file)) fail(`${what} leads out of ${folder}`)
  const source = await read(file).catch(error => fail(`${what}: ${join(folder, path)} can't be read${getCode(error)}`))
  const name = relative(root, named).replaceAll(sep, '/')
  return compiled({ name, source }, join(folder, name), 1)
}

/** The path that a relative `src` names. Tauri serves the folder as the root of an origin: `/x.js` is in the folder. */
function getPath(src: string, what: string): string {
  if (src === '') fail(`${what} is empty`)
  if (/^[a-z][a-z0-9+.-]*:/i.test(src) || /^[\\/]{2}/.test(src)) {
    fail(`${what} is an absolute URL: scripts are loaded from the isolation app's own folder only`)
  }
  const [path = ''] = src.split(/[?#]/, 1)
  try {
    return decodeURIComponent(path.replaceAll('\\', '/')).replace(/^\/+/, '')
  } catch {
    return fail(`${what} is not a valid URL`)
  }
}

/** Strict, as in the sandbox; the line numbers are those of the file. */
function compiled(script: IsolationScript, file: string, line: number): IsolationScript {
  try {
    new Script(`'use strict';${script.source}`, { filename: file, lineOffset: line - 1 })
  } catch (error) {
    const { stack, message } = error as Error
    const at = stack?.startsWith(`${file}:`) ? /^\d+/.exec(stack.slice(file.length + 1))?.[0] : undefined
    fail(`${file}${at ? `:${at}` : ''}: ${message} (${script.name} has to run as a classic script, in strict mode)`)
  }
  return script
}

function getFolder(dir: URL | string): string {
  if (typeof dir === 'string' && !dir.startsWith('file:')) return dir
  try {
    return fileURLToPath(dir)
  } catch {
    return fail(`its folder has to be a path or a file: URL, not ${String(dir)}`)
  }
}

const read = async (file: string): Promise<string> => (await readFile(file, 'utf8')).replace(/^\uFEFF/, '')

function isWithin(root: string, file: string): boolean {
  const path = relative(root, file)
  return path !== '' && path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path)
}

function getCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  return code === undefined ? '' : code === 'ENOENT' ? ': it does not exist' : ` (${code})`
}

function fail(problem: string): never {
  throw new BusError('InvalidParams', `Isolation app: ${problem}`)
}
