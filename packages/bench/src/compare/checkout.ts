// A git ref as a folder: checked out beside everything else, installed and built there, and gone in the end.
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from '../command/usage.js'

export interface Checkout {
  folder: string
  /** Where the current folder lies in it, as in `packages/app`; empty for its root. */
  prefix: string
}

const git = async (...args: string[]): Promise<string> => (await promisify(execFile)('git', args)).stdout.trim()

/** The commit that a ref names, or `undefined` where it names none, or here is no repository. */
export const commitOf = (ref: string): Promise<string | undefined> =>
  git('rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`).catch(() => undefined)

/** @param folder where to put it; has to be empty, or not to exist */
export async function checkOut(commit: string, folder: string): Promise<Checkout> {
  const prefix = await git('rev-parse', '--show-prefix')
  await git('worktree', 'add', '--detach', '--force', folder, commit)
  return { folder, prefix }
}

/** Lets git forget the checkouts whose folders are gone. */
export const forgetCheckouts = (): void => void spawnSync('git', ['worktree', 'prune'])

/**
 * Installs and builds.
 *
 * @param command what to run there instead of what its lock file and its scripts ask for
 * @throws UsageError when it fails, and the signal's reason when it is aborted
 */
export async function prepare(folder: string, command: string | null, signal: AbortSignal): Promise<void> {
  const line = command ?? preparationOf(folder)
  if (line === '') return
  signal.throwIfAborted()
  // What it says is about the run: stdout belongs to the results. It leads a group, so that all of it can be ended.
  const detached = process.platform !== 'win32'
  const child = spawn(line, { cwd: folder, shell: true, stdio: ['ignore', process.stderr, process.stderr], detached })
  const end = (): void => void (detached ? process.kill(-child.pid!, 'SIGKILL') : child.kill())
  signal.addEventListener('abort', end, { once: true })
  const [code] = (await once(child, 'exit')) as [number | null]
  signal.removeEventListener('abort', end)
  signal.throwIfAborted()
  if (code !== 0) throw new UsageError(`--base: \`${line}\` failed in the checkout with exit code ${code}`)
}

/** As a shell reads it; empty where there is nothing to do. */
export function preparationOf(folder: string): string {
  const { packageManager, scripts } = readManifest(folder)
  // As corepack has it: pnpm@12.21.0+sha512.…
  const [manager] = (packageManager ?? '').split('+')
  const has = (name: string): boolean => existsSync(join(folder, name))
  const steps: string[] = []
  if (has('pnpm-lock.yaml')) steps.push(`npx --yes ${manager || 'pnpm'} install --frozen-lockfile`)
  else if (has('yarn.lock')) steps.push(`npx --yes ${manager || 'yarn'} install`)
  else if (has('package-lock.json') || has('npm-shrinkwrap.json')) steps.push('npm ci')
  if (scripts?.['build'] !== undefined) steps.push('npm run build')
  return steps.join(' && ')
}

interface Manifest {
  packageManager?: string
  scripts?: Record<string, string>
}

function readManifest(folder: string): Manifest {
  const path = join(folder, 'package.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : {}
}
