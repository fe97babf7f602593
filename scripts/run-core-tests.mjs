// Runs long tests of core with options in the environment, for the scripts that repeat them by hand.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export function runCoreTests(directory, options) {
  const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
  const args = [vitest, 'run', '--project=long', '--project=matrix', directory]
  const cwd = new URL('../packages/core', import.meta.url)
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: 'inherit', env: { ...process.env, ...options } })
  process.exitCode = status ?? 1
}
