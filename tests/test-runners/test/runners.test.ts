// One spec, by each test runner. Jest, and the pools of Vitest that are named after `node:vm`, run it in realms of their own.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { choose } from '../../../scripts/testing.js'

const cwd = fileURLToPath(new URL('../', import.meta.url))
const jest = ['node_modules/jest/bin/jest.js']
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.spec.config.js', '--pool']

const runners: [string, string[]][] = [
  ['Jest', ['--experimental-vm-modules', ...jest]],
  ["Vitest's threads", [...vitest, 'threads']],
  ["Vitest's forks", [...vitest, 'forks']],
  ["Vitest's vmThreads", [...vitest, 'vmThreads']],
  ["Vitest's vmForks", [...vitest, 'vmForks']],
]

const run = async (command: readonly string[], directory: string): Promise<string> => {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' }
  const options = { cwd: directory, env }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, command, options).catch(error => error)
  // Jest reports to standard error.
  return stdout + stderr
}

test.each(choose(runners, 0, 2))('the spec passes in %s', async (_runner, command) => {
  expect(await run(command, cwd)).toMatch(/Tests: +(\d+) passed, \1 total|Tests +\d+ passed \(\d+\)/)
})

test('in a project that links the packages, a page in a jsdom has the rights of its configuration', async () => {
  const project = mkdtempSync(join(tmpdir(), 'sallyport-linked-'))
  onTestFinished(() => rmSync(project, { recursive: true }))
  cpSync(join(cwd, 'linked'), project, { recursive: true })
  for (const name of ['@sallyport/core', '@sallyport/tauri-plugins', 'vitest', 'jsdom']) {
    const link = join(project, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(cwd, 'node_modules', name), link)
  }
  expect(await run(['node_modules/vitest/vitest.mjs', 'run'], project)).toMatch(/Tests +1 passed \(1\)/)
})
