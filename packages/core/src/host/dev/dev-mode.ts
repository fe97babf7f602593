// `createBus({ dev: true })`: what has changed on disk is loaded again.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Frontends } from '../frontends.js'
import type { Logger } from '../log.js'
import type { ResolvedOptions } from '../options.js'
import { affectedBy, isIn, type DevModule } from './affected.js'
import { watchFolders } from './watch.js'

export interface DevParts {
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
export async function startDevMode({ options, frontends, log, reload }: DevParts): Promise<DevMode> {
  const { core, isolation } = options
  const hooks = isolation.dir && fileURLToPath(isolation.dir)
  const coreModule = core instanceof URL ? pathOf(core) : undefined
  let closed = false
  /** One change after the other. */
  let reloading = Promise.resolve()

  const watch = watchFolders(files => {
    reloading = reloading.then(() => take(files))
  })
  const watchModule = (module: URL): void => {
    const path = pathOf(module)
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
    const all = [...frontends.modules].map(([name, module]) => ({ name, module: pathOf(module) }))
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

const pathOf = (module: URL): string | undefined => (module.protocol === 'file:' ? fileURLToPath(module) : undefined)
