// The program prints what the README shows, and ends by itself. Plugins stop in any order, and the one that fills memory for several reasons.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const cwd = `${import.meta.dirname}/..`
const hoardsReason = /(?<=stops hoards: ).+/
const [, output = ''] =
  /^```text\n\$ npm start --silent\n([^]*?)^```$/m.exec(readFileSync(`${cwd}/README.md`, 'utf8')) ?? []

const sortLines = (text: string) => text.replace(hoardsReason, '').split('\n').toSorted()

test('npm start prints what the README shows', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['start.js'], { cwd, timeout: 50_000 })
  expect([sortLines(stdout), stderr]).toEqual([sortLines(output), ''])
}, 60_000)
