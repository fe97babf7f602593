// The base of a comparison: a directory, or a git ref that is checked out and built beside the repository.
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import { UsageError } from '@sallyport/protocol/internal/command-line'
import { plain, readJson } from '#measure/text'
import type { Comparison } from '../verdict/judge.js'
import { checkOut } from './checkout.js'
import { git, leaveHook } from './git.js'
import { startGroup } from './group.js'
import { readBuilds, selectRun } from './same-files.js'
import type { Trees } from './sides.js'

export interface BaseOptions {
  /** A git ref or a directory. */
  base: string
  /** The command that installs and builds a git ref; null for the command that its files imply. */
  prepare: string | null
  /** The directory of the reports. */
  out: string
  /** With its arguments. */
  program: readonly [string, ...string[]]
}

interface FoundBase {
  base: Comparison['base']
  /** Corresponds to the current directory. */
  directory: string
  trees: Trees
  /** No file differs that a program could run. */
  isSame: boolean
  /** A source that has changed, if the head was not built since. */
  stale?: string | undefined
}

interface OpenedBase extends FoundBase {
  /** A directory of our own, for as long as the base is open. */
  temporary: string
  /** Removes the directory. It goes with the process, too, in whatever way that ends. */
  close(): void
}

/**
 * Builds a git ref, unless it has the files of the head.
 *
 * @throws {UsageError} if there is no such base, it cannot be built, or it does not have the current directory
 */
export async function openBase(options: BaseOptions, signal: AbortSignal): Promise<OpenedBase> {
  leaveHook()
  const temporary = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-compare-')))
  const close = (): void => {
    process.off('exit', close)
    try {
      rmSync(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    } catch (error) {
      // As of a directory that the build made read-only. The verdict is known all the same.
      process.stderr.write(`${plain((error as Error).message)}. Remove ${temporary}\n`)
    }
  }
  process.on('exit', close)
  try {
    return { ...(await findBase(options, join(temporary, 'checkout-of-base'), signal)), temporary, close }
  } catch (error) {
    close()
    // Ctrl-C goes to git as well, which then fails.
    signal.throwIfAborted()
    throw error
  }
}

async function findBase(options: BaseOptions, root: string, signal: AbortSignal): Promise<FoundBase> {
  const { base: name, prepare: command, out, program } = options
  if (statSync(name, { throwIfNoEntry: false })?.isDirectory()) {
    const directory = realpathSync(name)
    // In a directory of both, such as a package of a workspace, the trees begin above it.
    const prefix = await git(['rev-parse', '--show-prefix']).catch(() => '')
    const depth = prefix !== '' && `${directory}/`.endsWith(`/${prefix}`) ? prefix.length : 0
    const toTop = (path: string): string => `${path}/`.slice(0, -1 - depth)
    const trees = { head: toTop(process.cwd()), base: toTop(directory), changes: [] }
    return { base: { name: resolve(name), kind: 'directory' }, directory, trees, isSame: false }
  }
  const commit = await findCommit(name)
  const [top = '', prefix = ''] = (await git(['rev-parse', '--show-toplevel', '--show-prefix'])).split('\n')
  const changes = selectRun(await checkOut(commit, top, root), relative(top, resolve(out)), program)
  for (const directory of new Set([root, join(root, prefix)])) linkSiblings(top, root, directory)
  if (changes.length > 0) await prepare(root, command, signal)
  const directory = join(root, prefix)
  const builds = changes.length === 0 ? { isSame: true } : await readBuilds(changes, top, root)
  const trees = { head: top, base: root, changes }
  if (existsSync(directory)) return { base: { name, kind: 'ref', commit }, directory, trees, ...builds }
  throw new UsageError(`--base: the base has no ${prefix}. Run the comparison in a directory that it has`)
}

const ADVICE = 'This clone is shallow: fetch more of it first, as with `fetch-depth: 0` of actions/checkout'

/** A checkout of CI has the branches of others as those of `origin` alone. @throws {UsageError} with what git says */
async function findCommit(name: string): Promise<string> {
  const find = (ref: string): Promise<string> => git(['rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`])
  try {
    return await find(name)
  } catch (error) {
    const commit = await find(`origin/${name}`).catch(() => undefined)
    if (commit !== undefined) return commit
    const isShallow = (await git(['rev-parse', '--is-shallow-repository']).catch(() => '')) === 'true'
    const text = `--base: '${name}' is not a directory or a git ref: ${(error as Error).message}`
    throw new UsageError(isShallow ? `${text}. ${ADVICE}` : text)
  }
}

/** A package of a directory beside the repository, such as `file:../lib`, is beside the checkout, too. */
function linkSiblings(top: string, root: string, directory: string): void {
  const manifest = join(directory, 'package.json')
  if (!existsSync(manifest)) return
  for (const [, path = ''] of readFileSync(manifest, 'utf8').matchAll(/"(?:file|link|portal):(\.\.\/[^"]+)"/g)) {
    const [up, name] = relative(root, resolve(directory, path)).split(sep)
    if (up !== '..' || name === undefined || name === '..') continue
    const link = join(root, '..', name)
    if (!existsSync(link)) symlinkSync(join(top, '..', name), link, 'junction')
  }
}

/** Installs and builds a checkout. @throws {UsageError} if that fails */
export async function prepare(directory: string, command: string | null, signal: AbortSignal): Promise<void> {
  const line = command ?? getPreparation(directory)
  if (line === '') return
  signal.throwIfAborted()
  // Its output goes to stderr, because stdout is for results.
  const { child } = startGroup(line, [], { cwd: directory, shell: true, stdio: ['ignore', 2, 2] }, signal)
  const [code] = (await once(child, 'exit')) as [number | null]
  signal.throwIfAborted()
  if (code !== 0) throw new UsageError(`--base: \`${line}\` failed in the checkout with exit code ${code}`)
}

type Manifest = { packageManager?: string; scripts?: { build?: string } }

export function getPreparation(directory: string): string {
  const has = (name: string): boolean => existsSync(join(directory, name))
  const file = join(directory, 'package.json')
  const { packageManager, scripts } = existsSync(file) ? readJson<Manifest>('--base', file) : {}
  // Corepack appends a hash: pnpm@12.21.0+sha512.…
  const [manager] = String(packageManager ?? '').split('+')
  const installs = [
    has('pnpm-lock.yaml') && `npx --yes ${manager || 'pnpm'} install --frozen-lockfile`,
    has('yarn.lock') && `npx --yes ${manager || 'yarn'} install`,
    (has('package-lock.json') || has('npm-shrinkwrap.json')) && 'npm ci',
  ].filter(Boolean)
  return [...installs.slice(0, 1), ...(scripts?.build === undefined ? [] : ['npm run build'])].join(' && ')
}
