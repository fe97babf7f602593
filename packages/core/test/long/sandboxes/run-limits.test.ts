// Code of `bus.run` that never ends, or takes all memory: it ends with the reason, and the bus goes on.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RunOptions } from '../../../src/index.js'
import type { Launcher } from '../../../src/launchers.js'
import { getFrontendPids } from '../../support/processes.js'
import { next, reuseBus, start } from '../../support/start.js'
import { LONGEST } from './script-time.js'
import { rows } from '../../../../../scripts/testing.js'

const getBus = reuseBus({ log: false })

const sandboxes = [
  { kind: 'quickjs', ...LONGEST },
  'permission',
  'process',
  { kind: 'quickjs', process: true, ...LONGEST },
] as const

test('an endless loop ends with its timeout, not with the heartbeat', () =>
  rows(sandboxes)(async sandbox => {
    const bus = await getBus()
    await expect(bus.run('for (;;);', { sandbox, timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout' })
    expect((await bus.stats()).frontends).toEqual({})
  }))

test('an endless loop ends with its signal', () =>
  rows(sandboxes)(async sandbox => {
    const bus = await getBus()
    const controller = new AbortController()
    const started = next(bus, 'started')
    // The event has arrived when the call has returned.
    const source = 'emit("started"); await invoke("add", args); for (;;);'
    const options = { sandbox, args: { a: 1, b: 2 }, allow: ['add'], signal: controller.signal }
    const failed = bus.run(source, options).then(String, (error: unknown) => error)
    await started
    controller.abort()
    expect(await failed).toMatchObject({ reason: 'Cancelled' })
    expect((await bus.stats()).frontends).toEqual({})
  }))

test('code that takes more memory than it may ends', () =>
  rows(sandboxes)(async sandbox => {
    const bus = await getBus()
    const source = 'const kept = []; for (;;) kept.push(new Array(1e4).fill({}))'
    await expect(bus.run(source, { sandbox, limits: { memory: 64 }, timeout: 60_000 })).rejects.toMatchObject({
      reason: 'Crashed',
      message: expect.stringMatching(/ ran out of memory/) as string,
    })
    expect(await bus.run('return 1', { sandbox })).toBe(1)
  }))

/** A launcher that exits later than its process, leaves its output to another one, and has a cgroup that cannot be removed: core waits for less. */
function createLateWall(): Launcher {
  const directory = mkdtempSync(join(tmpdir(), 'late-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  mkdirSync(join(directory, 'cgroup', 'file'), { recursive: true })
  // What a shell starts in the background has no standard input of its own.
  const late =
    'exec 7<&0; "$@" <&7 7<&- & exec 0<&- 1>&- 3>&- 4>&- 7<&-; wait $!; code=$?; setsid sleep 3 & sleep 0.9; exit $code'
  return {
    name: 'late',
    launch: (command, args) => ({
      ...{ command: '/bin/sh', args: ['-c', late, 'sh', command, ...args] },
      cgroups: [join(directory, 'cgroup')],
    }),
  }
}

describe.runIf(process.platform === 'linux')('code whose process ends long after its link has closed', () => {
  test('ends with the reason', async () => {
    const bus = await getBus()
    const failed = bus.run('process.abort()', { sandbox: { kind: 'process', wall: createLateWall() } })
    await expect(failed).rejects.toMatchObject({
      reason: 'Crashed',
      message: expect.stringContaining('SIGABRT') as string,
    })
  })

  test('runs in another process if it has not begun', async () => {
    const bus = await start()
    const options: RunOptions = { sandbox: { kind: 'process', wall: createLateWall(), spares: 1 } }
    await bus.run('return 1', options)
    await expect.poll(async () => (await bus.stats()).spares).toBe(1)
    // A spare counts before its process runs.
    await expect.poll(() => getFrontendPids()).toHaveLength(1)
    process.kill(getFrontendPids()[0]!, 'SIGKILL')
    // Within this tick the host does not know.
    expect(await bus.run('return args.a', { ...options, args: { a: 2 } })).toBe(2)
  })
})
