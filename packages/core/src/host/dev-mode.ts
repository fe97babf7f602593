// `createBus({ dev: true })`: reloads the workers and hooks whose files changed.
import { dirname, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { later } from '@sallyport/protocol/internal/contract'
import { watch } from 'chokidar'
import type { Frontends } from '../life/frontends/frontends.js'
import type { HostServices } from '../life/frontends/services.js'
import { isWithin } from '@sallyport/process/internal/permission-model'

type DevModeHost = HostServices & { readonly frontends: Frontends; reload(name: string): Promise<void> }

/** Resolves once changes are watched for. Returns a function that stops watching. */
export async function startDevMode(host: DevModeHost): Promise<() => Promise<void>> {
  const { frontends } = host
  const { core, isolation } = host.options
  const hookDirectory = isolation.dir && fileURLToPath(isolation.dir)
  let isClosed = false
  let reloading = Promise.resolve()

  const watcher = createDirectoryWatcher(files => {
    reloading = reloading.then(() => reloadAffected(files))
  })
  const watchModule = (module: URL): void => {
    const path = getPath(module)
    if (path !== undefined) watcher.add(dirname(path))
  }
  if (core instanceof URL) watchModule(core)
  if (hookDirectory !== undefined) watcher.add(hookDirectory)
  for (const [, module] of frontends.modules) watchModule(module)
  frontends.onOpened = watchModule
  await watcher.ready()

  async function reloadAffected(files: readonly string[]): Promise<void> {
    const urls = [...frontends.modules, ...(core instanceof URL ? [['core', core] as const] : [])]
    const modules = urls.flatMap(([name, module]) => {
      const path = getPath(module)
      return path === undefined ? [] : [{ name, path }]
    })
    const isHook = (file: string): boolean => hookDirectory !== undefined && isWithin([hookDirectory], file)
    const others = files.filter(file => !isHook(file) && file !== process.argv[1])
    const affected = new Set(others.flatMap(file => getAffected(file, modules)))
    const names = [...affected].toSorted((a, b) => Number(b === 'core') - Number(a === 'core'))
    const hooks = files.some(isHook)
    if (names.length === 0 && !hooks) return
    host.log.info({ files, workers: names, ...(hooks && { hooks }) }, 'reloading')
    if (hooks) await frontends.reloadHooks()
    for (const name of names) {
      if (isClosed) return
      // Supervision reports failures, and the frontend can have closed meanwhile. A reload is not waited for: the module can hang, or wait
      // for a core that fails, until the next change.
      void reload(name).catch(() => {})
    }
  }

  async function reload(name: string): Promise<void> {
    const startedAt = performance.now()
    await host.reload(name)
    host.log.info({ workers: [name], ms: Math.round(performance.now() - startedAt) }, 'reloaded')
  }

  return async () => {
    isClosed = true
    await watcher.close()
  }
}

const getPath = (module: URL): string | undefined => (module.protocol === 'file:' ? fileURLToPath(module) : undefined)

export interface DevModule {
  name: string
  path: string
}

/** Returns the names of the modules that a change of `file` affects: its own, or else those in the nearest directory above. */
export function getAffected(file: string, modules: readonly DevModule[]): string[] {
  const changed = modules.filter(({ path }) => path === file)
  if (changed.length > 0) return changed.map(({ name }) => name)
  const above = modules.filter(({ path }) => isWithin([dirname(path)], file))
  const nearest = Math.max(...above.map(({ path }) => dirname(path).length))
  return above.filter(({ path }) => dirname(path).length === nearest).map(({ name }) => name)
}

/** Changes are reported together after this time without another one: editors and compilers write many files at once. */
const QUIET_MS = 100
const CODE_FILE = /\.(?:[cm]?[jt]sx?|json|html|css|wasm|node)$/

function createDirectoryWatcher(onChanged: (files: readonly string[]) => void) {
  const directories = new Set<string>()
  const changed = new Set<string>()
  const watchers: ReturnType<typeof watch>[] = []
  const starting: Promise<void>[] = []
  let endWait = (): void => {}
  const onChange = (file: string): void => {
    if (!CODE_FILE.test(file)) return
    changed.add(file)
    endWait()
    endWait = later(QUIET_MS, () => {
      const files = [...changed]
      changed.clear()
      onChanged(files)
    })
  }
  return {
    add(directory: string): void {
      if (directories.has(directory)) return
      directories.add(directory)
      const ignored = (path: string): boolean => isHidden(relative(directory, path))
      const watcher = watch(directory, { ignoreInitial: true, ignored })
      watcher.on('add', onChange).on('change', onChange).on('unlink', onChange)
      // Without a watch, the directory's changes are just not seen.
      watcher.on('error', () => {})
      starting.push(new Promise(resolve => watcher.once('ready', resolve)))
      watchers.push(watcher)
    },
    ready: () => Promise.all(starting),
    async close(): Promise<void> {
      endWait()
      await Promise.all(watchers.map(async watcher => watcher.close()))
    },
  }
}

const isHidden = (path: string): boolean =>
  path.split(sep).some(part => part === 'node_modules' || (part.startsWith('.') && part !== '..'))
