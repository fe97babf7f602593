// A closed bus seen from outside: no thread is left, and the process exits by itself.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { fixture } from '../../support/start.js'

test.each([
  ['a program', [fileURLToPath(fixture('supervision/program.mjs'))]],
  [
    'with flags of V8 and of the process',
    ['--max-old-space-size=500', '--expose-gc', fileURLToPath(fixture('supervision/program.mjs'))],
  ],
  ['that requires no ES module', ['--trace-require-module=all', fileURLToPath(fixture('supervision/program.mjs'))]],
  [
    'from the command line',
    ['--input-type=module', '-e', `await import(${JSON.stringify(fixture('supervision/program.mjs').href)})`],
  ],
])('a closed bus leaves no thread and lets the process exit: %s', { timeout: 90_000 }, async (_name, args) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 })
  expect(stderr).toBe('')
  expect(stdout).toBe('closed, 0 left\n')
})
