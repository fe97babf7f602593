// The programs print what the README says, and end by themselves.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'

const cwd = `${import.meta.dirname}/..`
const readme = readFileSync(`${cwd}/README.md`, 'utf8')
const blocks = [...readme.matchAll(/^```text\n\$ node (.+)\n([^]*?)^```$/gm)].map(([, program, output]) => ({
  program: program ?? '',
  output,
}))

test('the README shows all three programs', () => {
  expect(blocks.map(({ program }) => program)).toEqual(['brownfield.js', 'isolation.js', 'hooks.js'])
})

test('each program prints what the README shows', () =>
  rows(blocks)(async ({ program, output }) => {
    // Rejects where the exit code is not 0, or the process has to be killed.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program], { cwd, timeout: 60_000 })
    expect(stdout).toBe(output)
    expect(stderr).toBe('')
  }))
