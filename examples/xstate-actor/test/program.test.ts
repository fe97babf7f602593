// The program prints what the README says, each frontend in its order, and ends by itself.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const cwd = `${import.meta.dirname}/..`
const [, output = ''] =
  /^```text\n\$ npm start --silent\n([^]*?)^```$/m.exec(readFileSync(`${cwd}/README.md`, 'utf8')) ?? []
const getLines = (text: string, who: string) => text.split('\n').filter(line => line.startsWith(who))

test('npm start prints what the README shows', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['start.js'], { cwd, timeout: 60_000 })
  expect(stderr).toBe('')
  expect(getLines(output, 'guard')).toHaveLength(4)
  for (const who of ['guard', 'watcher']) expect(getLines(stdout, who)).toEqual(getLines(output, who))
})
