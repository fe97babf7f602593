// Runs a built command as a user does.
import { spawn } from 'node:child_process'

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
