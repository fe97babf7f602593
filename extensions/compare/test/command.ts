// The built command, and many runs of it in one process.
import { execFile } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Ended } from '../../../packages/measure/test/run-command.js'

export const cli: string = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

/** Runs the built command once for each entry, all in one process, whose modules are loaded only once. */
export async function runAll(
  runs: readonly { args: readonly string[]; cwd: string }[],
  more: Record<string, string>,
): Promise<Ended[]> {
  const script = fileURLToPath(new URL('in-process.mjs', import.meta.url))
  const argv = [script, pathToFileURL(cli).href, JSON.stringify(runs)]
  const env = { ...process.env, CI: '1', GITHUB_STEP_SUMMARY: '', ...more }
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env, maxBuffer: 2 ** 24 })
  return JSON.parse(stdout) as Ended[]
}
