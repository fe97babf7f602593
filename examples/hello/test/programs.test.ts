// The programs print what the README says, and end by themselves. A hook of Tauri's guides is read as its guide says, or the log warns.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { createBus } from '@sallyport/core'
import { pino } from 'pino'
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

test('without legacyMessages, the hook that guards files checks nothing, and the log warns', async () => {
  const lines: { msg: string }[] = []
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) })
  const dir = new URL('../dist-isolation-read-file/', import.meta.url)
  const bus = await createBus({ core: new URL('../core.js', import.meta.url), isolation: { dir }, log })
  try {
    const client = await bus.connect('tests')
    expect(await client.invoke('deleteItem', { id: 1 })).toEqual([2, 3])
    expect(lines[0]?.msg).toMatch(/^index\.js reads messages as .+ set .+"legacyMessages" to true/)
  } finally {
    await bus.close()
  }
})
