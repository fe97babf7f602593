// Git reads the user's repository, and writes only into one of our own (checkout.ts).
import { execFile, type ExecFileOptions, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { UsageError } from '@sallyport/protocol/internal/command-line'

/** Neither hooks nor daemons of the user. */
const QUIET = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'submodule.recurse=false']

/** Returns what it prints. @throws {UsageError} with what git says */
export async function git(args: readonly string[], { env, ...options }: ExecFileOptions = {}): Promise<string> {
  const all = { ...options, encoding: 'utf8' as const, env: { ...process.env, ...env }, maxBuffer: 2 ** 28 }
  const { stdout } = await promisify(execFile)('git', [...QUIET, ...args], all).catch((error: { stderr?: string }) => {
    throw new UsageError(`git ${args[0]}: ${error.stderr?.trim() || String(error)}`)
  })
  return stdout.replace(/\n$/, '')
}

/**
 * Forgets what git tells its hooks: the repository, and the index of the commit that is being made. A git of ours, of npm or of the program would
 * write there. `GIT_CONFIG_COUNT` is never of git, but of CI, which gives `safe.directory` and addresses of packages in this way.
 */
export function leaveHook(): void {
  const { stdout } = spawnSync('git', ['rev-parse', '--local-env-vars'], { encoding: 'utf8' })
  for (const name of stdout?.split('\n') ?? []) if (name !== 'GIT_CONFIG_COUNT') delete process.env[name]
}
