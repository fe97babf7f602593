// The program prints what the README shows, but for its figures, and nothing of it is left, however it ends.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { choose } from '../../../scripts/testing.js'
import { findServer } from '../server.js'

const cwd = `${import.meta.dirname}/..`
const readme = readFileSync(`${cwd}/README.md`, 'utf8')
const [, shown = ''] = /^```text\n\$ npm start --silent\n([^]*?)^```$/m.exec(readme) ?? []

/** In a group of its own, as from a terminal. Its output is closed when the last of its processes is gone. */
function start(env: NodeJS.ProcessEnv = {}) {
  const options = { cwd, env: { ...process.env, ...env }, detached: true } as const
  const child = spawn(process.execPath, ['index.js'], { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const program = { pid: child.pid!, stdout: '', stderr: '', closed: once(child, 'close') }
  child.stdout.setEncoding('utf8').on('data', text => (program.stdout += text))
  child.stderr.setEncoding('utf8').on('data', text => (program.stderr += text))
  onTestFinished(() => void (child.stdout.closed || process.kill(-program.pid, 'SIGKILL')))
  return program
}

/** Without figures, and without what is said of the CPUs that there are. */
const plain = (text: string): string => text.replace(/before: .*/, 'before:').replaceAll(/\d+(\.\d+)?/g, 'n')

describe.skipIf(!findServer())('with a NATS server (skipped without nats-server)', () => {
  test('npm start prints what the README shows', { timeout: 120_000 }, async () => {
    const program = start()
    expect(await program.closed).toEqual([0, null])
    expect([plain(program.stdout), program.stderr]).toEqual([plain(shown), ''])
    expect(program.stdout).toMatch(/^ {3}3 cores: .* core-1 [1-9]\d*, core-2 [1-9]\d*, core-3 [1-9]\d*$/m)
    const answered = [...program.stdout.matchAll(/answered (\d+) of (\d+): /g)]
    expect(answered.map(([, count]) => count)).toEqual(answered.map(([, , sent]) => sent))
    const lost = [
      ...program.stdout.matchAll(/answered (\d+) of (\d+); Disconnected: (\d+) in flight, (\d+) not sent,/g),
    ]
    for (const [, count, sent, unknown, no] of lost)
      expect(Number(count) + Number(unknown) + Number(no)).toBe(Number(sent))
    expect([answered.length, lost.length]).toEqual([3, 2])
  })

  const ends = [
    ['Ctrl+C', 'SIGINT', 'every process'],
    ['a terminal that closes', 'SIGHUP', 'every process'],
    ['a program that dies', 'SIGKILL', 'the program'],
  ] as const
  test.each(choose(ends))('%s leaves no process (%s to %s)', { timeout: 60_000 }, async (_what, signal, to) => {
    const program = start()
    await expect.poll(() => program.stdout).toContain('24 calls')
    process.kill(to === 'the program' ? program.pid : -program.pid, signal)
    expect(await program.closed).toEqual([null, signal])
    expect(program.stderr).toBe('')
  })
})

test('without a nats-server it exits with the reason', async () => {
  const program = start({ NATS_SERVER: '/none' })
  expect(await program.closed).toEqual([1, null])
  const stderr = 'nats-server: program not found. Install it, or set NATS_SERVER to its path\n'
  expect([program.stdout, program.stderr]).toEqual(['', stderr])
})
