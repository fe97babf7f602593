// Runs the built command: as a user does, or several times in one process.
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Report } from '../src/report/report.js'

export const cli: string = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

interface How {
  /** Instead of the command. */
  script?: string
  cwd?: string
  env?: Record<string, string>
  /** Is given all that the command has said so far. */
  watch?(stderr: string, kill: (signal: NodeJS.Signals) => void): void
}

export function bench(args: readonly string[], { script = cli, cwd, env = {}, watch }: How = {}): Promise<Ended> {
  const child = spawn(process.execPath, [script, ...args], { cwd, env: { ...process.env, CI: '1', ...env } })
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
export async function benchAll(
  runs: readonly { args: readonly string[]; cwd: string }[],
  more: Record<string, string>,
): Promise<Ended[]> {
  const script = fileURLToPath(new URL('in-process.mjs', import.meta.url))
  const argv = [script, pathToFileURL(cli).href, JSON.stringify(runs)]
  const env = { ...process.env, CI: '1', ...more }
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env, maxBuffer: 2 ** 24 })
  return JSON.parse(stdout) as Ended[]
}

export const readReport = (directory: string): Report =>
  JSON.parse(readFileSync(join(directory, 'report.json'), 'utf8')) as Report
