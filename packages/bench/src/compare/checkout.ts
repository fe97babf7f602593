// Resolves `--base`: the directory of a checkout, or a git ref, which is checked out and built temporarily.
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from '../shared/text.js'

/** `root` is the directory of the checkout. */
export type Base = { name: string; root: string } & ({ kind: 'directory' } | { kind: 'ref'; commit: string })

export interface OpenedBase {
  base: Base
  /** A directory of our own, for as long as the base is open. */
  temporary: string
  /** Removes the directory. It goes with the process, too, in whatever way that ends. */
  close(): void
}

/** Builds a git ref with `command`, or as its files ask. @throws {UsageError} if there is no such base, or it cannot be built */
export async function openBase(name: string, command: string | null, signal: AbortSignal): Promise<OpenedBase> {
  const temporary = mkdtempSync(join(tmpdir(), 'sallyport-compare-'))
  const close = (): void => {
    process.off('exit', close)
    rmSync(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    spawnSync('git', ['worktree', 'prune'])
  }
  process.on('exit', close)
  try {
    return { base: await findBase(name, command, join(temporary, 'base'), signal), temporary, close }
  } catch (error) {
    close()
    // Ctrl-C goes to git as well, which then fails.
    signal.throwIfAborted()
    throw error
  }
}

const git = async (...args: string[]): Promise<string> => (await promisify(execFile)('git', args)).stdout.trim()

/** Returns the commit of the head; of a merge commit, the one that it merges into the base. Without git, it is empty. */
export const readCommit = (): Promise<string> =>
  git('rev-parse', '--verify', '--quiet', 'HEAD^2').catch(() => git('rev-parse', 'HEAD').catch(() => ''))

async function findBase(name: string, command: string | null, root: string, signal: AbortSignal): Promise<Base> {
  if (statSync(name, { throwIfNoEntry: false })?.isDirectory()) return { kind: 'directory', name, root: resolve(name) }
  const commit = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`).catch(() => {
    throw new UsageError(`--base: '${name}' is not a directory or a git ref`)
  })
  await git('worktree', 'add', '--detach', '--force', root, commit)
  await prepare(root, command, signal)
  return { kind: 'ref', name, commit, root }
}

/** Returns the directory of a checkout that corresponds to the current one. @throws {UsageError} if there is none */
export async function findWorkingDirectory({ kind, root }: Base): Promise<string> {
  const directory = kind === 'directory' ? root : join(root, await git('rev-parse', '--show-prefix'))
  if (existsSync(directory)) return directory
  throw new UsageError(
    `--base: the base has no ${relative(root, directory)}. Run the comparison in a directory that it has`,
  )
}

/** Installs and builds a checkout. @throws {UsageError} if that fails */
export async function prepare(directory: string, command: string | null, signal: AbortSignal): Promise<void> {
  const line = command ?? getPreparation(directory)
  if (line === '') return
  signal.throwIfAborted()
  // Its output goes to stderr, because stdout is for results. It leads a process group, which a signal can end.
  const detached = process.platform !== 'win32'
  const { stderr } = process
  const child = spawn(line, { cwd: directory, shell: true, stdio: ['ignore', stderr, stderr], detached })
  const end = (): void => void (detached ? process.kill(-child.pid!, 'SIGKILL') : child.kill())
  signal.addEventListener('abort', end, { once: true })
  const [code] = (await once(child, 'exit')) as [number | null]
  signal.removeEventListener('abort', end)
  signal.throwIfAborted()
  if (code !== 0) throw new UsageError(`--base: \`${line}\` failed in the checkout with exit code ${code}`)
}

interface Manifest {
  packageManager?: string
  scripts?: Record<string, string>
}

const readManifest = (directory: string): Manifest => {
  const path = join(directory, 'package.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : {}
}

/** Returns the shell command for a checkout's lock file and its script `build`; empty if it has neither. */
export function getPreparation(directory: string): string {
  const has = (name: string): boolean => existsSync(join(directory, name))
  const { packageManager = '', scripts = {} } = readManifest(directory)
  // Corepack appends a hash: pnpm@12.21.0+sha512.…
  const [manager] = packageManager.split('+')
  const installs = [
    has('pnpm-lock.yaml') && `npx --yes ${manager || 'pnpm'} install --frozen-lockfile`,
    has('yarn.lock') && `npx --yes ${manager || 'yarn'} install`,
    (has('package-lock.json') || has('npm-shrinkwrap.json')) && 'npm ci',
  ].filter(Boolean)
  return [...installs.slice(0, 1), ...(scripts['build'] === undefined ? [] : ['npm run build'])].join(' && ')
}
