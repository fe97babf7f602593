// The scripts that run in each page of a label before its own: those of the project, of core's plugins and of the host.
import { access, readFile } from 'node:fs/promises'
import type { Logger, WebviewConfig } from '@sallyport/core/internal'
import { BusError, describeThrown } from '@sallyport/protocol/internal'
import { createGlobalTauri } from './global-tauri.js'
import { SCRIPTS_PATH } from './greeting.js'

export interface PageScriptsDeps {
  readonly label: string
  /** Paths of the host's scripts. */
  readonly files: readonly string[]
  readonly webview: WebviewConfig | undefined
  readonly log: Logger
}

export class PageScripts {
  /** By the path of their URL, in the order in which they run. */
  readonly #scripts = new Map<string, () => string | Promise<string>>()

  /** @throws {BusError} InvalidParams if a file is missing */
  static async create({ label, files, webview, log }: PageScriptsDeps): Promise<PageScripts> {
    const scripts = new PageScripts()
    if (webview?.withGlobalTauri) await scripts.#addGlobalTauri(webview, log)
    for (const [index, file] of files.entries()) {
      try {
        await access(file)
      } catch (cause) {
        const text = `serveFrontends: frontends.${label}.scripts[${index}]: there is no file ${file}`
        throw new BusError('InvalidParams', text, { cause })
      }
      scripts.#add(String(index), () => readFile(file, 'utf8'))
    }
    return scripts
  }

  get urls(): readonly string[] {
    return [...this.#scripts.keys()]
  }

  /** Returns the text of the script at a path, or `undefined`. */
  async read(pathname: string): Promise<string | undefined> {
    return this.#scripts.get(pathname)?.()
  }

  #add(name: string, read: () => string | Promise<string>): void {
    this.#scripts.set(`${SCRIPTS_PATH}${name}.js`, read)
  }

  async #addGlobalTauri({ directory }: WebviewConfig, log: Logger): Promise<void> {
    try {
      const text = await createGlobalTauri(directory)
      this.#add('tauri', () => text)
    } catch (error) {
      const remedy = 'Install @tauri-apps/api in the project'
      log.warn(`app.withGlobalTauri has no effect: ${describeThrown(error).split('\n')[0]}. ${remedy}`)
    }
  }
}
