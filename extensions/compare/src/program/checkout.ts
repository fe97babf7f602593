// A commit in a repository of our own, which has the user's objects by reference. What git, npm or a script of the base writes there, such as
// hooks, configuration or an index, is never the user's. A linked worktree would share all of these.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from '@sallyport/protocol/internal/command-line'
import { git } from './git.js'

/** What a checkout depends on, beside objects, refs and configuration, which has filters, too. */
const COPIED = ['info/attributes', 'info/exclude', 'info/sparse-checkout', 'shallow']

/**
 * @param top - the user's working tree
 * @param root - gets the files, with those of the submodules that the user's tree has, too
 * @returns the paths that differ between the commit and the user's tree, without those that git ignores
 */
export async function checkOut(commit: string, top: string, root: string): Promise<string[]> {
  const own = join(root, '.git')
  const formats = { GIT_DEFAULT_HASH: commit.length > 40 ? 'sha256' : 'sha1', GIT_DEFAULT_REF_FORMAT: 'files' }
  await git(['init', '--quiet', '--template=', root], { env: formats })
  const names = ['index', 'objects', 'config', 'config.worktree', ...COPIED].flatMap(name => ['--git-path', name])
  const places = (await git(['rev-parse', ...names], { cwd: top })).split('\n').map(path => resolve(top, path))
  const [index = '', objects, config, ofWorktree, ...copied] = places
  const include = [config, ofWorktree].map(path => `[include]\n\tpath = ${JSON.stringify(path)}\n`).join('')
  const refs = await git(['for-each-ref', '--format=%(objectname) %(refname)'], { cwd: top })
  writeFileSync(join(own, 'objects/info/alternates'), `${JSON.stringify(objects)}\n`)
  const hooks = JSON.stringify(join(own, 'hooks'))
  const quiet = `[core]\n\tfsmonitor = false\n\thooksPath = ${hooks}\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n`
  writeFileSync(join(own, 'config'), include + readFileSync(join(own, 'config'), 'utf8') + quiet)
  writeFileSync(join(own, 'packed-refs'), refs && `${refs}\n`)
  writeFileSync(join(own, 'HEAD'), `${commit}\n`)
  copied.forEach((path, at) => existsSync(path) && cpSync(path, join(own, COPIED[at]!)))
  // Git updates an index that it reads. By the time of the index it knows what it must read again.
  for (const name of readdirSync(dirname(index)).filter(name => /^(?:shared)?index(?:\.[\da-f]+)?$/.test(name)))
    cpSync(join(dirname(index), name), join(own, name), { preserveTimestamps: true })
  const how = ['--porcelain', '-z', '--untracked-files=all', '--no-renames', '--ignore-submodules=dirty']
  const status = await git(['status', ...how], { cwd: top, env: { GIT_DIR: own, GIT_WORK_TREE: top } })
  const changes = new Set(status.split('\0').flatMap(line => (line === '' ? [] : [line.slice('XY '.length)])))
  rmSync(join(own, 'index'), { force: true })
  await git(['read-tree', '--reset', '-u', 'HEAD'], { cwd: root, env: { GIT_LFS_SKIP_SMUDGE: '1' } })
  for (const line of (await git(['ls-files', '--stage', '-z'], { cwd: root })).split('\0')) {
    const [, mode = '', id = '', path = ''] = /^(\d+) (\w+) \d\t(.*)$/s.exec(line) ?? []
    const [before, now] = [join(root, path), join(top, path)]
    if (mode === '160000' && existsSync(join(now, '.git'))) {
      const inside = await checkOut(id, now, before).catch((error: Error) => {
        throw new UsageError(
          `--base: ${id} of the submodule ${path} cannot be checked out. Fetch it if it is missing. ${error.message}`,
        )
      })
      for (const name of inside) changes.add(`${path}/${name}`)
    } else if (!mode.startsWith('100') || !existsSync(before)) continue
    else if (changes.has(path) && isPointer(before) && !isPointer(now)) {
      rmSync(before)
      await git(['checkout-index', '--', path], { cwd: root })
      // A filter or the time of a checkout can make other bytes of the same file.
    } else if (!changes.has(path) && existsSync(now) && statSync(now).size !== statSync(before).size)
      cpSync(now, before)
  }
  return [...changes]
}

/** A file whose content Git LFS has not brought. */
const isPointer = (path: string): boolean =>
  existsSync(path) && statSync(path).size < 1024 && readFileSync(path, 'utf8').startsWith('version https://git-lfs.')
