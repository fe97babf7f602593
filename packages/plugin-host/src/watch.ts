// Watches the files of a plugin that is being developed.
import { relative, sep } from 'node:path'

/** Changes are reported together after this time without another one: editors and compilers write many files at once. */
const QUIET_MS = 100

/** Calls `onChange` after changes, one call at a time. Resolves once the files are watched, with a function that ends it. */
export async function watchDirectory(directory: string, onChange: () => Promise<void>): Promise<() => Promise<void>> {
  const { watch } = await import('chokidar')
  const ignored = (path: string): boolean =>
    relative(directory, path)
      .split(sep)
      .some(name => name === 'node_modules' || (name.startsWith('.') && name !== '..'))
  const watcher = watch(directory, { ignoreInitial: true, ignored })
  let timer: NodeJS.Timeout | undefined
  let running = Promise.resolve()
  let isClosed = false
  watcher.on('all', () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      running = running.then(() => (isClosed ? undefined : onChange()))
    }, QUIET_MS)
  })
  // Without a watch, changes are just not seen.
  watcher.on('error', () => {})
  await new Promise(resolve => watcher.once('ready', resolve as () => void))
  return async () => {
    isClosed = true
    clearTimeout(timer)
    await watcher.close()
  }
}
