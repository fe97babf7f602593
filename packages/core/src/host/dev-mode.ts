// `createBus({ dev: true })`: what has changed on disk is loaded again.
import { dirname, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { watch } from 'chokidar'
import type { Frontends } from './frontends/frontends.js'
import type { ResolvedOptions } from './options/types.js'
import type { Logger } from './reporting/log.js'

// Which workers a changed file is a part of. A module itself is its worker's alone; any other file belongs to those modules whose
// folder is the nearest above it.

export interface DevModule {
  /** A label, or `core`. */
  name: string
  /** Its path. */
  module: string
}

/** The names of those that a change of `file` is for. */
export function affectedBy(file: string, modules: readonly DevModule[]): string[] {
  const own = modules.filter(({ module }) => module === file)
  if (own.length > 0) return own.map(({ name }) => name)
  const around = modules.filter(({ module }) => isIn(dirname(module), file))
  const nearest = Math.max(...around.map(({ module }) => dirname(module).length))
  return around.filter(({ module }) => dirname(module).length === nearest).map(({ name }) => name)
}

const isIn = (folder: string, file: string): boolean => file.startsWith(folder.endsWith(sep) ? folder : folder + sep)

// Watches folders for changes of code, and tells of them together once it has been quiet for a moment: an editor, a compiler or a
// checkout writes many files at once.

const QUIET_MS = 100
const CODE = /\.(?:[cm]?[jt]sx?|json|html|css|wasm|node)$/

export interface Watch {
  add(folder: string): void
  /** Resolves once changes of all that was added are seen. */
  ready(): Promise<void>
  close(): Promise<void>
}

function watchFolders(changed: (files: readonly string[]) => void): Watch {
  const folders = new Set<string>()
  const files = new Set<string>()
  const starting: Promise<void>[] = []
  let timer: NodeJS.Timeout | undefined
  const note = (file: string): void => {
    if (!CODE.test(file)) return
    files.add(file)
    clearTimeout(timer)
    timer = setTimeout(() => {
      const all = [...files]
      files.clear()
      changed(all)
    }, QUIET_MS)
  }
  const watchers: ReturnType<typeof watch>[] = []
  return {
    add(folder) {
      if (folders.has(folder)) return
      folders.add(folder)
      const watcher = watch(folder, { ignoreInitial: true, ignored: path => isHidden(relative(folder, path)) })
      watcher.on('add', note).on('change', note).on('unlink', note)
      // A folder that can't be watched is one that brings no changes.
      watcher.on('error', () => {})
      starting.push(new Promise(resolve => watcher.once('ready', resolve)))
      watchers.push(watcher)
    },
    async ready() {
      await Promise.all(starting)
    },
    async close() {
      clearTimeout(timer)
      await Promise.all(watchers.map(async watcher => watcher.close()))
    },
  }
}

const isHidden = (path: string): boolean =>
  path.split(sep).some(part => part === 'node_modules' || (part.startsWith('.') && part !== '..'))

export interface DevDeps {
  options: Pick<ResolvedOptions, 'isolation'> & Partial<Pick<ResolvedOptions, 'core'>>
  frontends: Frontends
  log: Logger
  /** `core`, or a label. */
  reload(name: string): Promise<void>
}

export interface DevMode {
  /** Resolves once nothing is watched any more. */
  close(): Promise<void>
}

/** Resolves once changes are seen. */
export async function startDevMode({ options, frontends, log, reload }: DevDeps): Promise<DevMode> {
  const { core, isolation } = options
  const hooks = isolation.dir && fileURLToPath(isolation.dir)
  const coreModule = core instanceof URL ? getPath(core) : undefined
  let closed = false
  /** One change after the other. */
  let reloading = Promise.resolve()

  const watch = watchFolders(files => {
    reloading = reloading.then(() => take(files))
  })
  const watchModule = (module: URL): void => {
    const path = getPath(module)
    if (path !== undefined) watch.add(dirname(path))
  }
  if (core instanceof URL) watchModule(core)
  if (hooks !== undefined) watch.add(hooks)
  for (const module of frontends.modules.values()) watchModule(module)
  frontends.opened = watchModule
  await watch.ready()

  async function take(files: readonly string[]): Promise<void> {
    const modules = modulesNow()
    const isHook = (file: string): boolean => hooks !== undefined && isIn(hooks, file)
    const others = files.filter(file => !isHook(file) && file !== process.argv[1])
    const names = new Set(others.flatMap(file => affectedBy(file, modules)))
    const again = [...names].toSorted((a, b) => Number(b === 'core') - Number(a === 'core'))
    const withHooks = files.some(isHook)
    if (again.length === 0 && !withHooks) return
    log.info({ files, again, ...(withHooks && { hooks: true }) }, 'changed: is loaded again')
    if (withHooks) await frontends.reloadHooks()
    for (const name of again) {
      if (closed) return
      // What goes wrong is told by supervision; a frontend may have gone.
      await reload(name).catch(() => {})
    }
  }

  function modulesNow(): DevModule[] {
    const all = [...frontends.modules].map(([name, module]) => ({ name, module: getPath(module) }))
    all.push({ name: 'core', module: coreModule })
    return all.filter((one): one is DevModule => one.module !== undefined)
  }

  return {
    async close() {
      closed = true
      await watch.close()
    },
  }
}

const getPath = (module: URL): string | undefined => (module.protocol === 'file:' ? fileURLToPath(module) : undefined)
