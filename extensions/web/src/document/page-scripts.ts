// The scripts that run in each page of a label before its own: its @tauri-apps/api as `window.__TAURI__` (`app.withGlobalTauri`), those of
// core's plugins and of the host.
import { createHash } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { HostLog, InitScript, WebviewConfig } from '@sallyport/core/internal'
import { BusError, describeThrown } from '@sallyport/protocol/internal/errors'
import { SCRIPTS_PATH } from '../contract/greeting.js'

export interface PageScriptsDeps {
  readonly label: string
  readonly files: readonly string[]
  readonly webview: WebviewConfig | undefined
  readonly log: HostLog
  getInitScripts(): readonly InitScript[]
}

export class PageScripts {
  readonly #getInitScripts: PageScriptsDeps['getInitScripts']
  #globalTauri: string | undefined
  /** By the path of their URL. */
  readonly #files = new Map<string, string>()

  private constructor(getInitScripts: PageScriptsDeps['getInitScripts']) {
    this.#getInitScripts = getInitScripts
  }

  /** @throws {BusError} InvalidParams if a file is missing */
  static async create({ label, files, webview, log, getInitScripts }: PageScriptsDeps): Promise<PageScripts> {
    const scripts = new PageScripts(getInitScripts)
    if (webview?.withGlobalTauri) await scripts.#loadGlobalTauri(webview, log)
    for (const [index, file] of files.entries()) {
      try {
        await access(file)
      } catch (cause) {
        const text = `serveFrontends: frontends.${label}.scripts[${index}]: there is no file ${file}`
        throw new BusError('InvalidParams', text, { cause })
      }
      scripts.#files.set(toPath(String(index)), file)
    }
    return scripts
  }

  /** Paths of the URLs, in the order in which they run. */
  get urls(): readonly string[] {
    const plugins = this.#getInitScripts().map(({ name }) => toPluginPath(name))
    return [...(this.#globalTauri === undefined ? [] : [GLOBAL_TAURI_PATH]), ...plugins, ...this.#files.keys()]
  }

  /** Returns the text of the script at a path, or `undefined`. */
  async read(pathname: string): Promise<string | undefined> {
    if (!pathname.startsWith(SCRIPTS_PATH)) return undefined
    if (pathname === GLOBAL_TAURI_PATH) return this.#globalTauri
    const file = this.#files.get(pathname)
    if (file !== undefined) return readFile(file, 'utf8')
    return this.#getInitScripts().find(({ name }) => toPluginPath(name) === pathname)?.source
  }

  async #loadGlobalTauri({ directory }: WebviewConfig, log: HostLog): Promise<void> {
    try {
      this.#globalTauri = await createGlobalTauri(directory)
    } catch (error) {
      const remedy = 'Install @tauri-apps/api in the project'
      log.warn(`app.withGlobalTauri has no effect: ${describeThrown(error).split('\n')[0]}. ${remedy}`)
    }
  }
}

const toPath = (name: string): string => `${SCRIPTS_PATH}${name}.js`
const toPluginPath = (plugin: string): string => toPath(`plugin-${plugin}`)
const GLOBAL_TAURI_PATH = toPath('tauri')

const REQUIRE = /\brequire\((['"])(\.{1,2}\/[^'"]+)\1\)/g

/** Returns the package's CommonJS modules as one script, which runs before those of the page. @throws {Error} if it is not installed */
async function createGlobalTauri(directory: string): Promise<string> {
  const entry = createRequire(join(directory, 'package.json')).resolve('@tauri-apps/api')
  const modules = new Map<string, string>()
  await addModule(entry, modules)
  const ids = [...modules.keys()]
  const functions = Array.from(modules.values(), text => `(exports,require)=>{${text}\n}`)
  return `window.__TAURI__=(()=>{const modules=[${functions.join(',\n')}],loaded=[]
const require=id=>{if(!loaded[id])modules[id](loaded[id]={},require);return loaded[id]}
return require(0)})()`.replaceAll(REQUIRE_PATH, (_match, path: string) => `require(${ids.indexOf(JSON.parse(path))})`)
}

const REQUIRE_PATH = /\brequire\(#("(?:[^"\\]|\\.)*")\)/g

async function addModule(path: string, modules: Map<string, string>): Promise<void> {
  if (modules.has(path)) return
  modules.set(path, '')
  const text = await readFile(path, 'utf8')
  const required: string[] = []
  const linked = text.replaceAll(REQUIRE, (_match, _quote, name: string) => {
    const target = join(dirname(path), name)
    required.push(target)
    return `require(#${JSON.stringify(target)})`
  })
  modules.set(path, linked)
  for (const target of required) await addModule(target, modules)
}

/** The start of a page, before any script: white space, comments, the doctype, `<html>` and `<head>`. */
const BEFORE_SCRIPTS =
  /^(?:\s|<!--(?:-?>|.*?--!?>)|<!doctype[^>]*>|<(?:html|head)(?:\s(?:[^"'>]|"[^"]*"|'[^']*')*)?>)*/is

/** Characters of a page that are searched for its start. A longer start would exceed the stack of the expression. */
const MAX_START = 2 ** 16

export function addScripts(html: string, urls: readonly string[]): string {
  const [start] = BEFORE_SCRIPTS.exec(html.slice(0, MAX_START))!
  const tags = urls.map(url => `<script src="${url}"></script>`)
  return start + tags.join('') + html.slice(start.length)
}

export interface InlineHashes {
  readonly scripts: readonly string[]
  readonly styles: readonly string[]
}

const COMMENT_OR_ELEMENT = /<!--[^]*?-->|<(script|style)((?:\s(?:[^"'>]|"[^"]*"|'[^']*')*)?)>([^]*?)<\/\1\s*>/gi

export function hashInlineElements(html: string): InlineHashes {
  const hashes = { scripts: new Set<string>(), styles: new Set<string>() }
  for (const [, name, attributes = '', text = ''] of html.matchAll(COMMENT_OR_ELEMENT)) {
    if (name === undefined || text === '' || /\ssrc\s*=/i.test(attributes)) continue
    hashes[name.toLowerCase() === 'script' ? 'scripts' : 'styles'].add(hash(text))
  }
  return { scripts: [...hashes.scripts], styles: [...hashes.styles] }
}

/** Browsers hash the text after they have changed its line ends. */
const hash = (text: string): string =>
  `'sha256-${createHash('sha256').update(text.replaceAll(/\r\n?/g, '\n')).digest('base64')}'`
