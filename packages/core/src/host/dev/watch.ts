// Watches folders for changes of code, and tells of them together once it has been quiet for a moment: an editor, a compiler or a
// checkout writes many files at once.
import { watch } from 'chokidar'
import { relative, sep } from 'node:path'

const QUIET_MS = 100
const CODE = /\.(?:[cm]?[jt]sx?|json|html|css|wasm|node)$/

export interface Watch {
  add(folder: string): void
  /** Resolves once changes of all that was added are seen. */
  ready(): Promise<void>
  close(): Promise<void>
}

export function watchFolders(changed: (files: readonly string[]) => void): Watch {
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
