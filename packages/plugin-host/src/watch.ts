// Watches the files of a plugin that is being developed.
import { watch } from 'chokidar'
import { relative, sep } from 'node:path'

/** Changes are reported together after this time without another one: editors and compilers write many files at once. */
const QUIET_MS = 100

/** Calls `onChange` after changes. Resolves once the files are watched, with a function that ends it. */
export async function watchDirectory(directory: string, onChange: () => void): Promise<() => Promise<void>> {
  const isIgnored = (name: string): boolean => name === 'node_modules' || (name.startsWith('.') && name !== '..')
  const ignored = (path: string): boolean => relative(directory, path).split(sep).some(isIgnored)
  const watcher = watch(directory, { ignoreInitial: true, ignored })
  let timer: NodeJS.Timeout | undefined
  watcher.on('all', () => {
    clearTimeout(timer)
    timer = setTimeout(onChange, QUIET_MS)
  })
  // Without a watch, changes are just not seen.
  watcher.on('error', () => {})
  await new Promise<void>(resolve => watcher.once('ready', resolve))
  return () => {
    clearTimeout(timer)
    return watcher.close()
  }
}
