// Runs the built command, as a user does.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Report } from '../src/report/report.js'

export const cli: string = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

interface How {
  cwd?: string
  env?: Record<string, string>
  /** Is given all that the command has said so far. */
  watch?(stderr: string, kill: (signal: NodeJS.Signals) => void): void
}

export function bench(args: readonly string[], { cwd, env = {}, watch }: How = {}): Promise<Ended> {
  const child = spawn(process.execPath, [cli, ...args], { cwd, env: { ...process.env, CI: '1', ...env } })
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

export const readReport = (directory: string): Report =>
  JSON.parse(readFileSync(join(directory, 'report.json'), 'utf8')) as Report
