// What other programs say is quoted in errors, and a terminal shows these.
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isRunning } from '../../core/test/support/processes.js'
import { rows } from '../../../scripts/testing.js'
import { findLastLine } from './child/child.js'
import { OrphanGuard } from './child/orphan-guard.js'
import { createStopStatus, describeStop } from './child/stop-status.js'
import { deno } from './launchers/deno.js'
import { docker } from './launchers/docker.js'
import { tryCommand } from './launchers/launcher.js'
import { judgeProcess } from './relay/judge-process.js'

const SAYS = String.raw`printf '\033]0;owned\007\033[2Jit is \033[31mgone\033[0m\r\n'`
const directory = mkdtempSync(join(tmpdir(), 'foreign-'))
afterAll(() => rmSync(directory, { recursive: true }))

function createProgram(script: string): string {
  const path = join(directory, 'program')
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

const fail = (error: Error): string => error.message
const run = (script: string) => tryCommand({ command: '/bin/sh', args: ['-c', script] })

async function stop(): Promise<string | undefined> {
  const stopStatus = createStopStatus()
  const guard = new OrphanGuard('', { stop: { command: createProgram(`${SAYS} >&2; exit 3`), args: [] }, stopStatus })
  guard.watch(spawn('/bin/sh', ['-c', 'exit']))
  await guard.exited
  return describeStop(stopStatus)
}

function judge(): string | undefined {
  const lastLines = ['\u001B]0;owned\u0007\u001B[2J it is \u001B[31mgone\u001B[0m\r\n'].map(findLastLine)
  const status = { code: 1, signal: null, wasKilled: false, limit: undefined, hasGreeted: false, lastLines }
  const launcher = { name: 'ssh', command: '/usr/bin/ssh' }
  return judgeProcess({ name: 'it', status, isStopping: false, lifecycle: undefined, isSpare: false, launcher }).error
    ?.message
}

test.skipIf(process.platform === 'win32')('has no sequence that a terminal obeys', () =>
  rows<[string, () => unknown]>([
    ['a launcher', judge],
    ['"stop" of a launcher', stop],
    ['a command that a launcher tries', async () => (await run(`${SAYS} >&2; exit 3`)).failure],
    ['its output', async () => (await run(SAYS)).stdout],
    ['docker', () => docker({ docker: createProgram(`${SAYS} >&2; exit 3`) }).catch(fail)],
    ['an image', () => docker({ docker: createProgram(SAYS) }).catch(fail)],
    ['deno', () => deno({ deno: createProgram(`${SAYS} >&2; exit 3`) }).catch(fail)],
  ])(async (_who, quote) => {
    const text = await quote()
    expect(text).toContain('it is gone')
    expect(text).not.toMatch(/(?!\n)\p{Cc}|owned/u)
  }),
)

test.skipIf(process.platform === 'win32')('a command that was ended is not said to have failed by itself', () =>
  rows([
    ['kill -9 $$', 60_000, /^it was ended by SIGKILL$/],
    ['exit 3', 60_000, /^exit code 3$/],
    ['echo waiting >&2; exec sleep 1000', 1, /^it did not answer within 0\.001 s(?:: waiting)?$/],
  ])(async (script, timeout, failure) => {
    const { failure: told } = await tryCommand({ command: '/bin/sh', args: ['-c', script], timeout })
    expect(told).toMatch(failure)
  }),
)

const STAYS = `require('node:child_process').spawn('sleep', ['1000'], { detached: true, stdio: 'inherit' })`
const leave = `console.error(${STAYS}.pid); process.exit(3)`

test.skipIf(process.platform === 'win32')('what a command leaves behind is ended, and does not hold its attempt', () =>
  rows<[string, { command: string; args: string[] }, boolean]>([
    ['in its group', { command: '/bin/sh', args: ['-c', 'sleep 1000 & echo $! >&2; exit 3'] }, false],
    ['in a group of its own, which nobody else ends', { command: process.execPath, args: ['-e', leave] }, true],
  ])(async (_where, trial, stays) => {
    let failure = ''
    void tryCommand(trial).then(attempt => (failure = attempt.failure))
    await expect.poll(() => failure).toMatch(/^\d+$/)
    const pid = Number(failure)
    if (!stays) return expect.poll(() => isRunning(pid)).toBe(false)
    expect(isRunning(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  }),
)
