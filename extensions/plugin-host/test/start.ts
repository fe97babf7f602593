// Starts a bus, writes plugins into a directory of their own, and opens a plugin host.
import { type Bus, type BusOptions, createBus, defineCore } from '@sallyport/core'
import { fs } from '@sallyport/tauri-plugins'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { openPlugins, type Plugins, type PluginsOptions } from '../src/index.js'
import { rows } from '../../../scripts/testing.js'

export type Files = Readonly<Record<string, unknown>>

export const INDEX = `import { expose, getData, invoke } from '@sallyport/frontend'
expose({
  ping: () => 'pong',
  settings: () => getData(),
  call: ({ command, args, headers }) =>
    invoke(command, args, { headers }).catch(error => \`\${error.reason}: \${typeof error.data === 'string' ? error.data : error.message}\`),
  exit: () => void setTimeout(() => process.exit()),
  crash: () => void setTimeout(() => { throw new Error('on purpose') }),
})`

/** A place with a bus for each test. `grants` and `plugins` are in `root`. */
export class Place {
  root = ''
  bus!: Bus
  readonly #opened: Plugins[] = []
  /** Tries the rows of a table, each in a place of its own. */
  readonly rows: {
    <const Row extends readonly unknown[]>(table: readonly Row[], check: (...row: [...Row]) => unknown): Promise<void>
    <const Row>(table: readonly Row[], check: (row: Row) => unknown): Promise<void>
  }

  constructor(options: Partial<BusOptions> = {}) {
    const begin = async (): Promise<void> => {
      // In the package, so that plugins find @sallyport/frontend.
      this.root = realpathSync(mkdtempSync(join(import.meta.dirname, '../test/tmp-')))
      mkdirSync(join(this.root, 'plugins'))
      const core = defineCore({
        commands: { greet: () => 'Hello', secret: () => 'secret' },
        plugins: [fs({ own: join(this.root, 'own') })],
      })
      this.bus = await createBus({ core, log: false, ...options })
    }
    const end = async (): Promise<void> => {
      for (const plugins of this.#opened.splice(0)) await plugins.close()
      await this.bus.close()
      rmSync(this.root, { recursive: true, force: true })
    }
    beforeEach(begin)
    afterEach(end)
    this.rows = (table: readonly any[], check: (...row: any[]) => unknown): Promise<void> =>
      rows(table)(async (...row: any[]) => {
        await end()
        await begin()
        await check(...row)
      })
  }

  /** Writes files below the directory of plugins. A value that is no string is JSON. */
  write(directory: string, files: Files): string {
    const root = join(this.root, 'plugins', directory)
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), typeof content === 'string' ? content : JSON.stringify(content))
    }
    return root
  }

  /** Writes a plugin with a package.json. */
  add(directory: string, sallyport: object = {}, more: Files = {}, info: object = {}): string {
    const manifest = { name: directory, version: '1.0.0', type: 'module', sallyport, ...info }
    return this.write(directory, { 'package.json': manifest, 'index.js': INDEX, ...more })
  }

  async open(options: PluginsOptions = {}): Promise<Plugins> {
    const places = { directory: join(this.root, 'plugins'), grants: join(this.root, 'grants.json') }
    const plugins = await openPlugins(this.bus, { ...places, ask: () => true, frontend: FAST, ...options })
    this.#opened.push(plugins)
    return plugins
  }
}

/** Threads start faster than processes. */
const FAST = { sandbox: 'permission' } as const
