// A closed bus seen from outside: no thread is left, and the process exits by itself.
import { execFile } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { fixture } from '../../support/start.js'

const program = fileURLToPath(fixture('supervision/program.mjs'))
const ways = {
  'a program': [program],
  'with flags of V8 and of the process': ['--max-old-space-size=500', '--expose-gc', program],
  'that requires no ES module': ['--trace-require-module=all', program],
  'from the command line': [
    '--input-type=module',
    '-e',
    `await import(${JSON.stringify(pathToFileURL(program).href)})`,
  ],
}

test('a closed bus leaves no thread and lets the process exit', () =>
  rows(ways)(async args => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args)
    expect(stderr).toBe('')
    expect(stdout).toBe('closed, 0 left\n')
  }))
