// Loads a Tauri isolation app as it is: `index.html` and its scripts, inline and external, read once at the start. What
// is wrong with it is said here, by file and line, before any message waits for a hook. Imports no sandbox.
import { readFile, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { BusError } from '@sallyport/protocol'
import { findScripts, type ScriptElement } from './app-html.js'
import type { IsolationScript } from './sandbox.js'

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
  const folder = folderOf(dir)
  const root = await realpath(folder).catch(error => fail(`there is no folder ${folder}${codeOf(error)}`))
  if (!(await stat(root)).isDirectory()) fail(`${folder} is not a folder`)
  const index = join(folder, INDEX)
  const html = await read(join(root, INDEX)).catch(error => fail(`${index} can't be read${codeOf(error)}`))
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
  const path = pathOf(src, what)
  const named = resolve(root, path)
  if (!isWithin(root, named)) fail(`${what} leads out of ${folder}`)
  const file = await realpath(named).catch(error =>
    fail(`${what}: ${join(folder, path)} can't be read${codeOf(error)}`),
  )
  if (!isWithin(root, file)) fail(`${what} leads out of ${folder}`)
  const source = await read(file).catch(error => fail(`${what}: ${join(folder, path)} can't be read${codeOf(error)}`))
  const name = relative(root, named).replaceAll(sep, '/')
  return compiled({ name, source }, join(folder, name), 1)
}

/** The path that a relative `src` names. Tauri serves the folder as the root of an origin: `/x.js` is in the folder. */
function pathOf(src: string, what: string): string {
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

function folderOf(dir: URL | string): string {
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

function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  return code === undefined ? '' : code === 'ENOENT' ? ': it does not exist' : ` (${code})`
}

function fail(problem: string): never {
  throw new BusError('InvalidParams', `Isolation app: ${problem}`)
}
