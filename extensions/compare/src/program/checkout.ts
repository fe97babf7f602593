// A commit in a repository of our own, which has the user's objects by reference. What git, npm or a script of the base writes there, such as
// hooks, configuration or an index, is never the user's. A linked worktree would share all of these.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from '../shared/text.js'
import { git } from './git.js'

/** What a checkout depends on, beside objects, refs and configuration. */
const COPIED = ['info/attributes', 'info/exclude', 'info/sparse-checkout', 'shallow']

/**
 * Filters, attributes and sparse patterns are the user's, and a file that git calls unchanged has the user's size: what differs was changed by somebody.
 *
 * @param top - the user's working tree
 * @param root - gets the files. In it are those submodules that the user's tree has, too
 * @returns the paths that differ between the commit and the user's tree, without those that git ignores
 */
export async function checkOut(commit: string, top: string, root: string): Promise<string[]> {
  const own = join(root, '.git')
  const formats = { GIT_DEFAULT_HASH: commit.length > 40 ? 'sha256' : 'sha1', GIT_DEFAULT_REF_FORMAT: 'files' }
  await git(['init', '--quiet', '--template=', root], { env: formats })
  const names = ['objects', 'config', 'config.worktree', 'index', ...COPIED].flatMap(name => ['--git-path', name])
  const places = (await git(['rev-parse', ...names], { cwd: top })).split('\n').map(path => resolve(top, path))
  const [objects = '', config = '', ofWorktree = '', index = '', ...copied] = places
  const refs = await git(['for-each-ref', '--format=%(objectname) %(refname)'], { cwd: top })
  const include = `[include]\n\tpath = ${JSON.stringify(config)}\n\tpath = ${JSON.stringify(ofWorktree)}\n`
  // Scripts of the base can start git, too.
  const quiet = '[core]\n\tfsmonitor = false\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n'
  mkdirSync(join(own, 'info'), { recursive: true })
  writeFileSync(join(own, 'objects/info/alternates'), `${JSON.stringify(objects)}\n`)
  writeFileSync(join(own, 'config'), include + readFileSync(join(own, 'config'), 'utf8') + quiet)
  writeFileSync(join(own, 'packed-refs'), refs === '' ? '' : `${refs}\n`)
  writeFileSync(join(own, 'HEAD'), `${commit}\n`)
  copied.forEach((path, at) => existsSync(path) && copyFileSync(path, join(own, COPIED[at]!)))
  const changes = await listChanges(index, top, own)
  await git(['read-tree', '--reset', '-u', 'HEAD'], { cwd: root, env: { GIT_LFS_SKIP_SMUDGE: '1' } })
  const changed = new Set(changes)
  const pointers: string[] = []
  for (const line of (await git(['ls-files', '--stage', '-z'], { cwd: root })).split('\0')) {
    const [, mode = '', id = '', path = ''] = /^(\d+) (\w+) \d\t(.*)$/s.exec(line) ?? []
    const [before, now] = [join(root, path), join(top, path)]
    if (mode === '160000' && existsSync(join(now, '.git'))) {
      const inside = await checkOut(id, now, before).catch((error: Error) => {
        throw new UsageError(`--base: the submodule ${path} has no ${id}. Fetch it. ${error.message}`)
      })
      changes.push(...inside.map(name => `${path}/${name}`))
    }
    if (!mode.startsWith('100') || !existsSync(before)) continue
    if (changed.has(path)) pointers.push(...(isPointer(before) && !isPointer(now) ? [path] : []))
    else if (existsSync(now) && statSync(now).size !== statSync(before).size) copyFileSync(now, before)
  }
  for (const path of pointers) rmSync(join(root, path))
  if (pointers.length > 0) await git(['checkout-index', '--', ...pointers], { cwd: root })
  return changes
}

/** Compares with a copy of the user's index, because git updates the one that it reads. */
async function listChanges(index: string, top: string, own: string): Promise<string[]> {
  const isIndex = (name: string): boolean => name === 'index' || name.startsWith('sharedindex.')
  for (const name of existsSync(index) ? readdirSync(dirname(index)).filter(isIndex) : []) {
    copyFileSync(join(dirname(index), name), join(own, name))
    // What has changed since then could be as long as before: git reads it.
    const seconds = Math.floor(statSync(index).mtimeMs / 1000)
    utimesSync(join(own, name), seconds, seconds)
  }
  const how = ['--porcelain', '-z', '--untracked-files=all', '--no-renames', '--ignore-submodules=dirty']
  const lines = await git(['status', ...how], { cwd: top, env: { GIT_DIR: own, GIT_WORK_TREE: top } })
  rmSync(join(own, 'index'), { force: true })
  return lines.split('\0').flatMap(line => (line === '' ? [] : [line.slice('XY '.length)]))
}

/** A file whose content Git LFS has not brought. */
const isPointer = (path: string): boolean =>
  existsSync(path) && statSync(path).size < 1024 && readFileSync(path, 'utf8').startsWith('version https://git-lfs.')
