import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { isRunning } from '../../../core/test/support/processes.js'
import { OrphanGuard } from './orphan-guard.js'
import { createStopStatus, describeStop } from './stop-status.js'

const temporary = mkdtempSync(join(tmpdir(), 'guard-'))
afterAll(() => rmSync(temporary, { recursive: true }))

/** Returns a pipe that nobody has written to. */
function fifo(): string {
  const path = join(temporary, 'fifo')
  execFileSync('mkfifo', [path])
  return path
}

const startBusy = (): ChildProcess => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })

afterEach(() => void vi.useRealTimers())

describe.skipIf(process.platform === 'win32')('the orphan guard', () => {
  let directory: string
  let guard: OrphanGuard
  let count = 0
  beforeEach(() => {
    directory = join(temporary, String(++count))
    guard = new OrphanGuard(directory)
    mkdirSync(directory)
  })

  test('kills a busy process and removes its directory when the pipe ends', async () => {
    const child = startBusy()
    guard.watch(child)
    guard.end()
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    await guard.exited
    expect(existsSync(directory)).toBe(false)
  })

  test('removes the directory when the pipe ends before there is a process', async () => {
    guard.end()
    await guard.exited
    expect(existsSync(directory)).toBe(false)
  })

  test('removes nothing after the process has exited, because another process could have its id', async () => {
    const child = startBusy()
    guard.watch(child)
    child.kill('SIGKILL')
    await guard.exited
    expect(existsSync(directory)).toBe(true)
  })

  test('ends what lives elsewhere after each end, and waits for it', async () => {
    const [first, second] = ['exited', 'orphaned'].map(name => join(temporary, name)) as [string, string]
    const createStop = (file: string) => ({ stop: { command: '/bin/sh', args: ['-c', 'echo "$NAME" > "$0"', file] } })
    const child = startBusy()
    const guarded = new OrphanGuard('', { ...createStop(first), env: { NAME: 'plugin' } })
    guarded.watch(child)
    child.kill('SIGKILL')
    await guarded.exited
    expect(readFileSync(first, 'utf8')).toBe('plugin\n')
    const orphaned = new OrphanGuard('', { ...createStop(second), env: { PATH: '/none' } })
    orphaned.watch(startBusy())
    orphaned.end()
    await orphaned.exited
    expect(readFileSync(second, 'utf8')).toBe('\n')
    guard.end()
  })

  test('says how "stop" has failed', () =>
    rows<[script: string, failure: string | undefined]>([
      ['exit 0', undefined],
      ['exit 3', 'exited with code 3'],
      ['echo one >&2; echo it is gone >&2; exit 3', 'exited with code 3: it is gone'],
      ['kill -9 $PPID $$', 'was killed'],
      ['exec 2>/dev/null /none/program', 'exited with code 127'],
    ])(async (script, failure) => {
      const stopStatus = createStopStatus()
      const child = startBusy()
      const guarded = new OrphanGuard('', { stop: { command: '/bin/sh', args: ['-c', script] }, stopStatus })
      guarded.watch(child)
      child.kill('SIGKILL')
      await guarded.exited
      expect(describeStop(stopStatus)).toBe(failure)
      guard.end()
    }))

  test('does not wait for ever for a "stop" that does not exit, and says so', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const stopStatus = createStopStatus()
    const child = startBusy()
    const guarded = new OrphanGuard('', {
      stop: { command: '/bin/sh', args: ['-c', 'read -r _ < "$0"', fifo()] },
      stopStatus,
    })
    guarded.watch(child)
    child.kill('SIGKILL')
    await once(child, 'exit')
    vi.advanceTimersByTime(5000)
    await guarded.exited
    expect(describeStop(stopStatus)).toBe('did not exit within 5 s')
    writeFileSync(join(temporary, 'fifo'), '\n')
    guard.end()
  })

  test('ends what was asked for, and began after its client was killed', async () => {
    const programs = join(temporary, 'programs')
    mkdirSync(programs)
    // But not the time that `stop` is given.
    writeFileSync(join(programs, 'sleep'), '#!/bin/sh\n[ "$1" -lt 60 ] || exec /bin/sleep "$1"\n', { mode: 0o755 })
    const runs = join(temporary, 'runs')
    const stop = { command: '/bin/sh', args: ['-c', 'echo run >> "$0"', runs] }
    const takeRuns = (): number => {
      const { length } = readFileSync(runs, 'utf8').trim().split('\n')
      rmSync(runs)
      return length
    }
    await rows<[string, end: (child: ChildProcess, guarded: OrphanGuard) => unknown, hasBegun: boolean, runs: number]>([
      ['its client is killed before it begins', child => child.kill('SIGKILL'), false, 3],
      ['its client is killed', child => child.kill('SIGKILL'), true, 1],
      ['its client exits before it begins', child => child.stdin!.end('0\n'), false, 1],
      ['what its client has started is killed before it begins', child => child.stdin!.end('137\n'), false, 3],
      ['its host is killed', (_child, guarded) => guarded.end(), true, 3],
    ])(async (_how, end, hasBegun, count) => {
      const guarded = new OrphanGuard('', { stop, env: { PATH: programs } })
      const child = spawn('/bin/sh', ['-c', 'read -r code; exit $code'])
      guarded.watch(child, false, () => hasBegun)
      end(child, guarded)
      await guarded.exited
      expect(takeRuns()).toBe(count)
    })
    guard.end()
  })

  test('kills a "stop" that runs on after a minute, also if nobody waits for it', async () => {
    const programs = join(temporary, 'minute')
    mkdirSync(programs)
    writeFileSync(join(programs, 'sleep'), '#!/bin/sh\n', { mode: 0o755 })
    const stopStatus = createStopStatus()
    const stop = { command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] }
    const guarded = new OrphanGuard('', { stop, stopStatus, env: { PATH: programs } })
    const child = startBusy()
    guarded.watch(child)
    child.kill('SIGKILL')
    await guarded.exited
    expect(describeStop(stopStatus)).toBe('was killed')
    guard.end()
  })

  test.runIf(process.platform === 'linux')('kills what a launcher has started in other sessions, after each end', () =>
    rows(
      (
        [
          ['plain', 'exec "$@"'],
          ['another session', 'exec setsid -w "$@"'],
          ['its session in another', 'setsid -w setsid -w sh -c \'"$@"; true\' sh "$@"; true'],
          ['without its signals', 'trap "" HUP TERM INT; exec nohup "$@" 2>/dev/null'],
          [
            'a daemon, whose parent has exited',
            'exec 3<&0; setsid sh -c \'"$@" <&3 3<&- &\' sh "$@"; exec 0<&- 1>&-; exec sleep 1000',
          ],
          [
            'a daemon with another output',
            'exec 3<&0; setsid sh -c \'"$@" <&3 3<&- | cat &\' sh "$@"; exec 0<&- 1>&-; exec sleep 1000',
          ],
        ] as const
      ).flatMap(
        ([what, launcher]) =>
          [
            [what, launcher, 'orphaned'],
            [what, launcher, 'killed'],
          ] as const,
      ),
    )(async (_what, launcher, end) => {
      const program = 'console.log(process.pid); process.stdin.once("end", () => {}); for (;;);'
      const child = spawn('/bin/sh', ['-c', `read -r _; ${launcher}`, 'sh', process.execPath, '-e', program], {
        detached: true,
      })
      const guarded = new OrphanGuard()
      guarded.watch(child, true)
      child.stdin.write('\n')
      const pid = Number((await once(child.stdout, 'data'))[0])
      expect(isRunning(pid)).toBe(true)
      if (end === 'orphaned') guarded.end()
      else child.kill('SIGKILL')
      await guarded.exited
      await expect.poll(() => isRunning(pid)).toBe(false)
      guard.end()
    }),
  )

  test('ends with a process that could not be started', async () => {
    const child = spawn(join(directory, 'missing')).on('error', () => {})
    guard.watch(child)
    await guard.exited
    expect(existsSync(directory)).toBe(false)
  })
})
