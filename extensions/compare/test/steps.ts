// Runs the scripts of workflow steps as GitHub does: bash, with GitHub's variables and files, and fakes of the programs that
// a step starts.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { parse } from 'yaml'

export interface Step {
  name?: string
  id?: string
  uses?: string
  shell?: string
  run?: string
  env?: Record<string, string>
}

export interface Input {
  description?: string
  default?: string
}

export interface Action {
  inputs: Record<string, Input>
  outputs: Record<string, { description: string; value: string }>
  runs: { using: string; steps: Step[] }
}

export const readRepositoryFile = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8')

export const readAction = (): Action => parse(readRepositoryFile('extensions/compare/action.yml')) as Action

interface Job {
  env: Record<string, string>
  steps: Step[]
}

interface Workflow {
  jobs: Record<string, Job>
}

export const getJob = (workflow: string, job: string): Job =>
  (parse(readRepositoryFile(`.github/workflows/${workflow}`)) as Workflow).jobs[job]!

export const getStep = (workflow: string, job: string, name: string): Step =>
  getJob(workflow, job).steps.find(step => step.name === name)!

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
  output: string
  summary: string
  directory: string
}

/** @param programs scripts for bash, by the name that the step calls them by */
export function runStep({ run }: Step, env: Record<string, string>, programs: Record<string, string>): Ran {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-step-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const bin = join(directory, '.bin')
  mkdirSync(bin)
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/usr/bin/env bash\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  const files = { GITHUB_OUTPUT: join(directory, '.output'), GITHUB_STEP_SUMMARY: join(directory, '.summary') }
  for (const file of Object.values(files)) writeFileSync(file, '')
  const script = join(directory, '.step.sh')
  writeFileSync(script, run!)
  // GitHub's own way to start bash.
  const { status, stdout, stderr } = spawnSync('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', script], {
    cwd: directory,
    encoding: 'utf8',
    env: {
      ...process.env,
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      RUNNER_TEMP: join(directory, '.temp'),
      ...files,
      ...env,
      PATH: bin + delimiter + process.env['PATH'],
    },
  })
  const read = (file: string): string => readFileSync(file, 'utf8')
  return {
    code: status,
    stdout,
    stderr,
    output: read(files.GITHUB_OUTPUT),
    summary: read(files.GITHUB_STEP_SUMMARY),
    directory,
  }
}
