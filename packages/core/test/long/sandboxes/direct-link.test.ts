// Frames of a process pass over sockets between it and the threads that read and write them. Its relay sees none of them.
import { expect, test } from 'vitest'
import type { Bus } from '../../../src/index.js'
import type { Launcher } from '../../../src/launchers.js'
import { CAN_DENY_NET } from '../../../../process/src/permission-model/module-code.js'
import { openProcesses, PROCESS } from '../../support/shared-relay.js'
import { isolation, start } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const isWindows = process.platform === 'win32'
const all = [
  ['brownfield', {}],
  ['isolation', isolation('judge')],
] as const
const patterns = choose(all)
/** In isolation, the thread of a gate must be allowed to connect. */
const direct = isWindows ? [] : choose(all.filter(([name]) => name === 'brownfield' || !CAN_DENY_NET))

test.each(patterns)('what a process sends before it exits arrives: %s', async (_name, app) => {
  const bus = await start(app)
  const source = `
    import { emit } from '@sallyport/frontend'
    for (let index = 0; index < 50; index++) emit('word', { index, text: 'x'.repeat(2000) })
    setImmediate(() => setImmediate(() => process.exit(0)))
  `
  const words: number[] = []
  await bus.listen<{ index: number }>('word', ({ payload }) => void words.push(payload.index))
  const supervision = { restart: 'temporary' } as const
  const options = { sandbox: PROCESS, allow: '*', supervision, loaded: false } as const
  await bus.open('main', { source, name: 'it.js' }, options)
  await expect.poll(() => words).toEqual(Array.from({ length: 50 }, (_, index) => index))
})

/** Runs a program in place of Node with the frontend: what a process can do that has taken over its runtime. */
const runs = (program: string): Launcher => ({
  name: 'hostile',
  launch: command => ({ command, args: ['-e', `const { writeSync } = require('node:fs'); ${program}`] }),
})
const openHostile = (bus: Bus, program: string, onStdio = (_text: string): void => {}): Promise<unknown> =>
  bus.open(
    'hostile',
    { source: '' },
    { sandbox: { kind: 'process', wall: runs(program) }, supervision: { restart: 'temporary' }, onStdio },
  )
const wait = 'setInterval(() => {}, 1000)'

test.each(direct)('what a process does to its socket is a fault of that frontend alone: %s', async (_name, app) => {
  const bus = await start(app)
  const { pids } = await openProcesses(bus, ['other'])
  const faults: string[] = []
  bus.on('fault', ({ label, error }) => void faults.push(`${label}: ${error.message}`))
  const violation = 'The peer violated the stream protocol: '
  await rows([
    ['raw bytes', `writeSync(4, 'GET / HTTP/1.1\\r\\n\\r\\n'); ${wait}`, `${violation}invalid kind of frame`],
    ['4 GiB', `writeSync(4, Buffer.from('ffffffff01', 'hex')); ${wait}`, `${violation}a frame out of bounds`],
    [
      'closes it before it has started',
      `require('node:fs').closeSync(4); ${wait}`,
      /did not (?:answer|evaluate)|has not started the process/,
    ],
    // That is no restart.
    ['exits before it has started', 'process.exit(9)', 'exited with code 9'],
  ])(async (_what, program, fault) => {
    await expect(openHostile(bus, program)).rejects.toThrow(fault)
    if (typeof fault === 'string' && fault.startsWith(violation)) expect(faults).toContain(`hostile: ${fault}`)
    expect(await bus.call('other', 'pid')).toBe(pids[0])
  })
})

test.each(direct)(
  'a process that exits, and leaves its descriptors to another one, is not waited for: %s',
  async (_, app) => {
    const bus = await start(app)
    const program = `
    const stdio = [0, 1, 2, 3, 4]
    const { pid } = require('node:child_process').spawn('/bin/sleep', ['60'], { stdio, detached: true })
    writeSync(1, String(pid) + '\\n')
    setTimeout(() => process.exit(4), 50)
  `
    let heir = 0
    const opening = openHostile(bus, program, text => void (heir ||= Number(text)))
    await expect(opening).rejects.toThrow('exited with code 4')
    // The process 0 would be the group of this one.
    await expect.poll(() => heir).toBeGreaterThan(0)
    expect(process.kill(heir, 'SIGKILL')).toBe(true)
  },
)

test.runIf(!isWindows && !CAN_DENY_NET)(
  'bytes against the direction of the socket from core are not read',
  async () => {
    const bus = await start(isolation('judge'))
    const { pids } = await openProcesses(bus, ['other'])
    const program = `try { for (;;) writeSync(8, Buffer.alloc(65536)) } catch (error) { if (error.code !== 'EAGAIN') throw error }; ${wait}`
    const opening = openHostile(bus, program).catch((error: Error) => error)
    for (let i = 0; i < 50; i++) expect(await bus.call('other', 'pid')).toBe(pids[0])
    await bus.closeFrontend('hostile')
    expect(await opening).toBeInstanceOf(Error)
  },
)
