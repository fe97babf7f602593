// Git reads the user's repository, and writes only into one of our own (checkout.ts).
import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { UsageError } from '../shared/text.js'

/** Starts no hook or daemon of the user, and leaves nothing in the background. */
const QUIET = [
  ...['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'submodule.recurse=false'],
  ...['gc.auto=0', 'maintenance.auto=false'],
].flatMap(setting => ['-c', setting])

interface How {
  cwd?: string
  env?: Record<string, string>
}

/** Returns what it prints. @throws {UsageError} with what git says */
export async function git(args: readonly string[], { cwd, env }: How = {}): Promise<string> {
  try {
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 2 ** 28 }
    const { stdout } = await promisify(execFile)('git', [...QUIET, ...args], options)
    return stdout.replace(/\n$/, '')
  } catch (error) {
    const { code, stderr = '', message } = error as Error & { code?: unknown; stderr?: string }
    throw new UsageError(code === 'ENOENT' ? 'git was not found' : `git ${args[0]}: ${stderr.trim() || message}`)
  }
}

/**
 * Forgets what git tells its hooks: the repository, and the index of the commit that is being made. A git of ours, of npm or of the program would
 * write there. `GIT_CONFIG_COUNT` is never of git, but of CI, which gives `safe.directory` and addresses of packages in this way.
 */
export function leaveHook(): void {
  const { stdout } = spawnSync('git', ['rev-parse', '--local-env-vars'], { encoding: 'utf8' })
  for (const name of stdout?.split('\n') ?? []) if (name !== 'GIT_CONFIG_COUNT') delete process.env[name]
}
