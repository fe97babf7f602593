// Frames of a process pass over sockets between it and the threads that read and write them. Its relay sees none of them.
import { expect, test } from 'vitest'
import { defineCore, type Bus } from '../../../src/index.js'
import type { Launcher } from '../../../src/launchers.js'
import { CAN_DENY_NET } from '../../../src/host/sandboxes/permission-model/net.js'
import { openProcesses, PROCESS } from '../../support/shared-relay.js'
import { isolation, start } from '../../support/start.js'

const isWindows = process.platform === 'win32'
const patterns = [
  ['brownfield', {}],
  ['isolation', isolation('judge')],
] as const
/** In isolation, the thread of a gate must be allowed to connect. */
const direct = patterns.filter(([name]) => !isWindows && (name === 'brownfield' || !CAN_DENY_NET))

test.each(direct)('calls do not pass through the thread of the relay: %s', async (_name, app) => {
  const bus = await start({ app })
  const source = `
    import { expose, invoke } from '@sallyport/frontend'
    expose({ calls: async () => { for (let i = 0; i < 3000; i++) await invoke('add', { a: i, b: 1 }) } })
  `
  const { relays } = await openProcesses(bus, ['other'])
  await bus.open('main', { source, name: 'it.js' }, { sandbox: PROCESS, allow: '*' })
  await bus.call('main', 'calls')
  // In isolation there is also the gate of the other frontend, which is idle.
  const measureMs = async (): Promise<number> => {
    const before = relays.map(({ performance }) => performance.eventLoopUtilization())
    await bus.call('main', 'calls')
    return Math.max(...relays.map((relay, index) => relay.performance.eventLoopUtilization(before[index]).active))
  }
  // To forward these calls takes more than 50 ms of a core. A thread that waits for a core counts as active, so the least of several counts.
  await expect.poll(measureMs).toBeLessThan(10)
})

test.each(patterns)('what a process sends before it exits arrives: %s', async (_name, app) => {
  const bus = await start({ app })
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

test.each(
  direct.flatMap(([pattern, app]) =>
    [
      ['raw bytes', `writeSync(4, 'GET / HTTP/1.1\\r\\n\\r\\n')`, 'invalid kind of frame'],
      ['a body of 4 GiB', `writeSync(4, Buffer.from('ffffffff01', 'hex'))`, 'a frame out of bounds'],
    ].map(([what, program, fault]) => ({ pattern, app, what, program, fault })),
  ),
)('$what of a process are a fault of that frontend alone: $pattern', async ({ app, program, fault }) => {
  const bus = await start({ app })
  const { pids } = await openProcesses(bus, ['other'])
  const faults: string[] = []
  bus.on('fault', ({ label, error }) => void faults.push(`${label}: ${error.message}`))
  await expect(openHostile(bus, `${program}; ${wait}`)).rejects.toThrow(fault)
  expect(faults).toContain(`hostile: The peer violated the stream protocol: ${fault}`)
  expect(await bus.call('other', 'pid')).toBe(pids[0])
})

test.each(direct)('a process that closes its socket before it has started is ended: %s', async (_name, app) => {
  const bus = await start({ app })
  await expect(openHostile(bus, `require('node:fs').closeSync(4); ${wait}`)).rejects.toThrow('closed unexpectedly')
})

test.each(direct)('a process that exits before it has started is a failure, and no restart: %s', async (_name, app) => {
  const bus = await start({ app })
  await expect(openHostile(bus, 'process.exit(9)')).rejects.toThrow('exited with code 9')
})

test.each(direct)(
  'a process that exits, and leaves its descriptors to another one, is not waited for: %s',
  async (_, app) => {
    const bus = await start({ app })
    const program = `
    const stdio = [0, 1, 2, 3, 4]
    const { pid } = require('node:child_process').spawn('/bin/sleep', ['60'], { stdio, detached: true })
    writeSync(1, String(pid) + '\\n')
    setTimeout(() => process.exit(4), 50)
  `
    let heir = 0
    const opening = openHostile(bus, program, text => void (heir = Number(text)))
    await expect(opening).rejects.toThrow('exited with code 4')
    // The process 0 would be the group of this one.
    await expect.poll(() => heir).toBeGreaterThan(0)
    expect(process.kill(heir, 'SIGKILL')).toBe(true)
  },
)

test.runIf(!isWindows && !CAN_DENY_NET)(
  'bytes against the direction of the socket from core are not read',
  async () => {
    const bus = await start({ app: isolation('judge') })
    const { pids } = await openProcesses(bus, ['other'])
    const program = `try { for (;;) writeSync(8, Buffer.alloc(65536)) } catch (error) { if (error.code !== 'EAGAIN') throw error }; ${wait}`
    const opening = openHostile(bus, program).catch((error: Error) => error)
    for (let i = 0; i < 50; i++) expect(await bus.call('other', 'pid')).toBe(pids[0])
    await bus.closeFrontend('hostile')
    expect(await opening).toBeInstanceOf(Error)
  },
)

test.each(patterns)('a core that restarts gets new processes, whose frames pass again: %s', async (_name, app) => {
  const bus = await start({ app, supervision: { delay: { min: 20, max: 100 }, intensity: 100 } })
  const { pids } = await openProcesses(bus, ['main'])
  for (let round = 0; round < 2; round++) {
    await bus.reload('core')
    const getPid = () => bus.call<number>('main', 'pid').catch(() => pids.at(-1))
    await expect.poll(getPid).not.toBe(pids.at(-1))
    pids.push((await getPid())!)
  }
  expect(new Set(pids)).toHaveLength(3)
})

test.each(direct)('what a process sends while core is blocked arrives later, in order: %s', async name => {
  const capability = { identifier: 'all', windows: ['*'], permissions: ['allow-block', 'allow-word'] }
  const app = name === 'isolation' ? isolation('judge', {}, capability) : {}
  const words: number[] = []
  const core = defineCore({
    commands: {
      block: () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300),
      word: ({ index }: { index: number }) => void words.push(index),
    },
  })
  const bus = await start({ app, core })
  const source = `
    import { expose, invoke } from '@sallyport/frontend'
    expose({
      async send() {
        const sent = [invoke('block')]
        for (let index = 0; index < 400; index++) sent.push(invoke('word', { index, text: 'x'.repeat(4000) }))
        await Promise.all(sent)
      },
    })
  `
  await bus.open('main', { source, name: 'it.js' }, { sandbox: PROCESS, allow: '*' })
  await bus.call('main', 'send')
  expect(words).toEqual(Array.from({ length: 400 }, (_, index) => index))
})
