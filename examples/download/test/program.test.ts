// The program prints what the README says, and ends by itself.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const cwd = `${import.meta.dirname}/..`
const [, output] = /^```text\n\$ npm start --silent\n([^]*?)^```$/m.exec(readFileSync(`${cwd}/README.md`, 'utf8')) ?? []

test('npm start prints what the README shows', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['start.js'], { cwd, timeout: 60_000 })
  expect([stdout, stderr]).toEqual([output, ''])
})
