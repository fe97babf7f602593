// Processes whose runtime an attacker has taken over: each mode of `descriptors/attack.cjs` on each descriptor that leads out of the process, before
// the frontend has started and while it runs. Nothing beyond that frontend fails, it ends with a typed error, and nothing is left of it.
import { fileURLToPath } from 'node:url'
import { eventually } from '../../support/supervised.js'
import { PROCESS_GREETING } from '@sallyport/protocol/internal/contract'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmdirSync, closeSync, openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bus, type BusError, createBus, isBusError } from '../../../src/index.js'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import type { Launcher } from '../../../src/launchers.js'
import { isMatrix, rows } from '../../../../../scripts/testing.js'
import { getChildren } from '../../support/get-children.mjs'
import { everyCommand, fixture, isolation, start } from '../../support/start.js'

const isLinux = process.platform === 'linux'
const program = readFileSync(new URL('descriptors/attack.cjs', import.meta.url), 'utf8')
const { modes } = runInNewContext(`${program}; globalThis`, {
  ...{
    require: process.getBuiltinModule('node:module').createRequire(import.meta.url),
    Buffer,
    process,
    globalThis: {},
  },
}) as { modes: string[] }

const { launcher: found } = isLinux ? await findWall() : { launcher: undefined }
const walls: [string, Launcher | undefined][] = [
  ['no wall', undefined],
  ...(found ? [['a wall', found] as [string, Launcher]] : []),
]
type Target = 1 | 4 | 8 | 'reports' | 'all'
const patterns = [
  ['brownfield', { capabilities: [everyCommand] }, [1, 'reports', 4, 'all']],
  ['isolation', isolation('judge'), [1, 'reports', 4, 8, 'all']],
] as const

/** Of what is no record of the pipe, or sends more than its reader has granted. */
const PIPE = /violated the protocol of a pipe/
/** Faults that a mode must be: those of the reports, and those of the socket to core or the gate. */
const VIOLATIONS: Record<string, readonly [control: RegExp | undefined, frames: RegExp | undefined]> = {
  text: [/invalid kind of frame/, /invalid kind of frame/],
  'a frame of each kind': [/invalid kind of frame/, /invalid kind of frame/],
  'a body of 4 GiB': [/a frame out of bounds/, /a frame out of bounds/],
  'a body of 60 MiB, which it sends': [/a frame out of bounds|violated the protocol of a pipe/, undefined],
  'states in the wrong order': [/sent an invalid report|failed/, undefined],
  'calls under another label': [/sent an invalid report/, undefined],
  'a flood of calls': [/sent an invalid report|violated the protocol of a pipe/, undefined],
  'a flood of bytes': [/sent an invalid report|violated the protocol of a pipe/, undefined],
}

const NEIGHBOR = `
  import { expose, invoke } from '@sallyport/frontend'
  const id = Math.random()
  expose({ ask: async () => [id, await invoke('greet', { name: 'you' })] })
`
const HOSTILE = `
  import { expose } from '@sallyport/frontend'
  expose({ attack: ({ mode, target }) => globalThis.attack(mode, target) })
`

const isSocket = (fd: string): boolean => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
  } catch {
    return false
  }
}

/** Sockets and pipes, processes of this one, and what is in the directory for temporary files. A thread has descriptors of other kinds. */
const count = (directory: string): Record<string, number> => ({
  files: readdirSync(directory).length,
  ...(isLinux && {
    sockets: readdirSync('/proc/self/fd').filter(isSocket).length,
    processes: getChildren(process.pid).length,
  }),
})

/** The frames, the reports, the floods, and the ends of a process: the matrix has the other modes. */
const FEW = modes.filter(mode =>
  /^(a frame of each kind|a body of 4 GiB|half a header|half a body, and is killed|states in|calls under|a flood of bytes|a child that)/.test(
    mode,
  ),
)

const places = patterns
  .flatMap(([name, app, targets]) =>
    // A wall closes further ways out, and none of these.
    walls.map(
      ([wall, launcher]) =>
        [
          `${name}, ${wall}`,
          app,
          launcher ? (['all'] as const) : targets,
          launcher,
          launcher ? FEW.slice(-1) : FEW,
        ] as const,
    ),
  )
  .filter(([name]) => isMatrix || name.startsWith('isolation'))

describe.each(places)('%s', (_name, app, targets, launcher, few) => {
  let directory: string
  const temporary = process.env['TMPDIR']
  let bus: Bus
  let neighbor: unknown[]
  const events: [name: string, error: BusError | undefined][] = []
  const ask = () => bus.call<unknown[]>('neighbor', 'ask')

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'descriptors-'))
    process.env['TMPDIR'] = directory
    bus = await createBus({ core: fixture('core.mjs'), log: false, ...app })
    for (const name of ['fault', 'failed', 'exited', 'restart'] as const) {
      bus.on(name, event => {
        const { label, error } = event as { label: string; error?: BusError }
        events.push([`${name} of ${label}`, error])
      })
    }
    await bus.open(
      'neighbor',
      { source: NEIGHBOR, name: 'neighbor.js' },
      { sandbox: { kind: 'process', wall: launcher ?? 'none' } },
    )
    neighbor = await ask()
  })
  afterAll(async () => {
    await bus.close({ timeout: 0 })
    // Fails if anything is left in it.
    rmdirSync(directory)
    if (temporary === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = temporary
  })

  /** Runs the program in place of Node with the frontend, or before it. */
  function runs(mode: string, target: Target, isRunning: boolean): Launcher {
    const greets = isRunning ? '' : `require('node:fs').writeSync(1, ${JSON.stringify(PROCESS_GREETING)})`
    const act = isRunning ? '' : `; attack(${JSON.stringify(mode)}, ${JSON.stringify(target)})`
    return {
      ...{ name: 'hostile', bindsWrites: false },
      launch(command, args, info) {
        const load = isRunning ? `; import(${JSON.stringify(`file://${args.at(-1)!}`)})` : ''
        // Native code of an attacker would not ask for permission.
        const flags = [...args.slice(0, -1), '--allow-fs-read=*', '--allow-fs-write=*', '--allow-child-process']
        const hostile = [
          ...flags,
          '-e',
          `process.stderr.write('runs\\n', () => { ${greets}; ${program}${act}${load} })`,
        ]
        return launcher?.launch(command, hostile, info) ?? { command, args: hostile }
      },
    }
  }

  async function attack(mode: string, target: Target, isRunning: boolean): Promise<void> {
    const before = count(directory)
    events.length = 0
    const printed = new Promise<void>(resolve => (onPrinted = resolve))
    const opened = bus.open(
      'hostile',
      { source: HOSTILE, name: 'hostile.js' },
      {
        sandbox: { kind: 'process', wall: runs(mode, target, isRunning) },
        supervision: { restart: 'temporary' },
        onStdio: () => onPrinted(),
      },
    )
    opened.catch(() => {})
    await printed
    let ended: Promise<unknown> = opened
    if (isRunning) {
      await opened
      ended = bus.call('hostile', 'attack', { mode, target })
    }
    let error: unknown
    const settled = ended.catch((reason: unknown) => (error = reason))
    for (let i = 0; i < 10; i++) expect(await ask()).toEqual(neighbor)
    const [ofReports, ofFrames] = VIOLATIONS[mode] ?? []
    // The five bytes of one header are the begin of a record.
    const ofPipe = mode === 'a body of 4 GiB' ? undefined : ofReports && PIPE
    const violation = { 1: ofPipe, reports: ofReports, all: ofReports, 4: ofFrames, 8: undefined }[target]
    if (violation) await expect.poll(() => [error, ...events.map(([, error]) => error)].join()).toMatch(violation)
    await bus.closeFrontend('hostile', { timeout: 0 })
    // A call has a result if what it did takes effect later.
    await settled
    if (error !== undefined || !isRunning) expect(isBusError(error), String(error)).toBe(true)
    for (const [name, fault] of events) {
      expect(name).toMatch(/ of hostile$/)
      if (fault) expect(isBusError(fault), fault.stack).toBe(true)
    }
    expect(await ask()).toEqual(neighbor)
    const readStats = async (): Promise<number[]> => {
      const { core, frontends } = await bus.stats()
      return [core.restarts, core.inFlight, frontends['neighbor']!.restarts]
    }
    // The figure is an old one if core is too busy to tell it.
    await expect.poll(readStats).toEqual([0, 0, 0])
    await expect.poll(() => count(directory)).toEqual(before)
  }
  let onPrinted = (): void => {}

  test('hostile processes end, and nothing is left of them', { timeout: 600_000 }, () =>
    rows(isMatrix ? modes : few)(async mode => {
      for (const isRunning of [false, true])
        for (const [index, target] of targets.entries())
          if (isMatrix || targets.length === 1 || index % 2 === Number(isRunning)) await attack(mode, target, isRunning)
    }),
  )
})

// The descriptors of the process: files of the host, and the host's ends of the pipes to frontends in processes of their own.
const thief = new URL('descriptor-theft.mjs', import.meta.url)

test('a frontend under the permission model cannot take the pipes of a frontend in a process', async () => {
  const bus = await start()
  await bus.open('thief', thief)
  await bus.open('main', fixture('calls/exposing.mjs'), { sandbox: 'process' })
  await eventually(() => bus.call('main', 'echo', { a: 1 }))
  const outcomes = await eventually(() => bus.call<unknown[]>('thief', 'steal'))
  expect(outcomes.filter(outcome => typeof outcome === 'number')).toEqual([])
  expect(outcomes).toContain('ERR_ACCESS_DENIED')
  expect(await bus.call('main', 'echo', { a: 1 })).toEqual({ a: 1 })
})

test("a frontend under the permission model cannot read the host's files through http2", async () => {
  const bus = await start()
  await bus.open('thief', thief)
  const fd = openSync(fileURLToPath(import.meta.url), 'r')
  expect(await bus.call('thief', 'read', { fd })).toEqual(Array(3).fill('ERR_ACCESS_DENIED'))
  closeSync(fd)
})

test('a frontend under the permission model serves its own files through http2, until it closes them', async () => {
  const bus = await start()
  await bus.open('main', thief)
  const content = readFileSync(thief, 'utf8')
  expect(await bus.call('main', 'readOwn')).toEqual({ responses: [content, content], code: 'ERR_ACCESS_DENIED' })
})
