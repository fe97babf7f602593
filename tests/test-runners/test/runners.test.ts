// One spec, by each test runner. Jest, and the pools of Vitest that are named after `node:vm`, run it in realms of their own.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
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

test.each(choose(runners, 0, 2))('the spec passes in %s', async (_runner, command) => {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { cwd, env }).catch(error => error)
  // Jest reports to standard error.
  expect(stdout + stderr).toMatch(/Tests: +(\d+) passed, \1 total|Tests +\d+ passed \(\d+\)/)
})
