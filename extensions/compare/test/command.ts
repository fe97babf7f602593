// Runs a built command: as a user does, or several times in one process.
import { execFile, spawn } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

export const cli: string = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface How {
  cwd?: string
  env?: Record<string, string>
  /** Is given all that the command has said so far. */
  watch?(stderr: string, kill: (signal: NodeJS.Signals) => void): void
}

export function run(script: string, args: readonly string[], { cwd, env = {}, watch }: How = {}): Promise<Ended> {
  const child = spawn(process.execPath, [script, ...args], {
    cwd,
    env: { ...process.env, CI: '1', GITHUB_STEP_SUMMARY: '', ...env },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => (stdout += chunk))
  child.stderr.on('data', chunk => {
    stderr += chunk
    watch?.(stderr, signal => child.kill(signal))
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve({ code, stdout, stderr }))
  })
}

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
