// The program prints what the README shows, and ends by itself. Plugins stop in any order, and the one that fills memory for several reasons.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const cwd = `${import.meta.dirname}/..`
const hoardsReason = /(?<=stops hoards: ).+/
const [, output = ''] =
  /^```text\n\$ npm start --silent\n([^]*?)^```$/m.exec(readFileSync(`${cwd}/README.md`, 'utf8')) ?? []

const sortLines = (text: string) => text.replace(hoardsReason, '').split('\n').toSorted()

test('npm start prints what the README shows', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['start.js'], { cwd, timeout: 60_000 })
  expect([sortLines(stdout), stderr]).toEqual([sortLines(output), ''])
}, 60_000)

test('waits for Enter while the inspector is open', async () => {
  const env = { ...process.env, SALLYPORT_INSPECT: '1' }
  const program = spawn(process.execPath, ['start.js'], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], timeout: 100_000 })
  const [printed, reported] = [program.stdout, program.stderr].map(stream => {
    const seen = { text: '' }
    stream.setEncoding('utf8').on('data', (chunk: string) => (seen.text += chunk))
    return seen
  })
  await expect.poll(() => printed!.text).toContain('Press Enter')
  const url = /http:\S+/.exec(reported!.text)![0]
  // One that does not wait closes meanwhile.
  for (let visit = 0; visit < 100; visit++) expect(await (await fetch(url)).text()).toContain('<html')
  program.stdin.write('\n')
  const [code] = (await once(program, 'close')) as [number]
  expect(code).toBe(0)
}, 120_000)
