// A script in a process (`sandbox: { kind: 'quickjs', process: true }`): its borders, its limits, and how it ends.
import { existsSync, writeFileSync } from 'node:fs'
import type { LaunchInfo } from '@sallyport/process/internal/launchers'
import type { QuickjsSandbox } from '../../../src/host/sandboxes/quickjs.js'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import type { Bus, BusEvents, FrontendOptions } from '../../../src/index.js'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import type { Launcher } from '../../../src/launchers.js'
import { getFrontendPids, isRunning } from '../../support/processes.js'
import { writeProject } from '../../support/project.js'
import { start } from '../../support/start.js'
import { LONGEST, SOON } from './script-time.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const hasProc = existsSync('/proc/self/stat')
const found = (await findWall()).launcher?.name ?? 'none'

const source = `
  let count = 0
  sallyport.expose({
    count: () => ++count,
    reach: () => ['require', 'process', 'fetch', 'Buffer', 'WebAssembly', 'module', 'global'].filter(
      name => globalThis[name] !== undefined || Function('return typeof ' + name)() !== 'undefined',
    ),
    data: () => [sallyport.data.bytes.buffer.byteLength, [...sallyport.data.bytes]],
    spin: () => { for (;;); },
    take: () => { const kept = []; for (;;) kept.push(new Uint8Array(2 ** 20).fill(1)) },
  })
`

async function open(bus: Bus, sandbox: Partial<QuickjsSandbox> = {}, options: FrontendOptions = {}): Promise<void> {
  const supervision = { restart: 'temporary' } as const
  await bus.open(
    'main',
    { source },
    { supervision, ...options, sandbox: { kind: 'quickjs', process: true, ...sandbox } },
  )
}

const nextFault = (bus: Bus): Promise<BusEvents['fault']> => new Promise(resolve => bus.on('fault', resolve))

const getReason = (error: { reason: string }): string => error.reason

describe.each(
  choose([
    ['none', 'none'],
    ['auto', found],
  ] as const),
)('wall: %s', (wall, name) => {
  test('a script has nothing of Node, and its data shares no memory with other data', async () => {
    const bus = await start()
    await open(bus, { wall }, { data: { bytes: new Uint8Array([1, 2, 3]) } })
    expect(await bus.call('main', 'reach')).toEqual([])
    expect(await bus.call('main', 'data')).toEqual([3, [1, 2, 3]])
    expect(bus.frontends()).toMatchObject([{ label: 'main', sandbox: 'quickjs', wall: name }])
    expect((await bus.stats()).frontends.main).toMatchObject({ wall: name })
  })

  test.runIf(hasProc)('its process ends with its label, and is replaced by a reload', async () => {
    const bus = await start()
    const directory = writeProject({ 'main.js': `sallyport.expose({ version: () => 1 })` })
    const file = join(directory, 'main.js')
    await bus.open('main', pathToFileURL(file), { sandbox: { kind: 'quickjs', process: true, wall } })
    expect(await bus.call('main', 'version')).toBe(1)
    const [before] = getFrontendPids()
    writeFileSync(file, `sallyport.expose({ version: () => 2 })`)
    await bus.reload('main')
    expect(await bus.call('main', 'version')).toBe(2)
    const [after] = getFrontendPids()
    await bus.closeFrontend('main')
    expect(before).not.toBe(after)
    expect([before, after].map(pid => isRunning(pid!))).toEqual([false, false])
  })

  test.runIf(hasProc)('an endless loop ends the script and its process, and it restarts', async () => {
    const bus = await start()
    await open(bus, { wall, ...SOON }, { supervision: { restart: 'transient' } })
    expect(await bus.call('main', 'count')).toBe(1)
    const [pid] = getFrontendPids()
    const fault = nextFault(bus)
    const restarted = new Promise(resolve => bus.on('restart', resolve))
    expect(await bus.call('main', 'spin').catch(getReason)).toBe('Disconnected')
    expect((await fault).error).toMatchObject({ reason: 'Crashed', data: { limit: 'time', max: SOON.time } })
    await restarted
    await expect.poll(() => bus.call('main', 'count').catch(() => undefined)).toBe(1)
    expect(isRunning(pid!)).toBe(false)
  })

  test.runIf(hasProc)('memory includes bytes, and the fault has the limit', async () => {
    const bus = await start()
    await open(bus, { wall, memory: 128, ...LONGEST })
    const fault = nextFault(bus)
    expect(await bus.call('main', 'take').catch(getReason)).toBe('Disconnected')
    const { error } = await fault
    expect(error).toMatchObject({ reason: 'Crashed', data: { limit: 'memory', max: 128 } })
  })

  test.runIf(hasProc)('bus.run limits the memory and the time of a script', async () => {
    const bus = await start()
    // On a busy machine 128 MiB take long.
    const options = {
      sandbox: { kind: 'quickjs', process: true, wall, memory: 128, ...LONGEST },
      timeout: 60_000,
    } as const
    expect(await bus.run('return typeof process', options)).toBe('undefined')
    const take = bus.run('const kept = []; for (;;) kept.push(new Uint8Array(2 ** 20).fill(1))', options)
    await expect(take).rejects.toMatchObject({ reason: 'Crashed', data: { limit: 'memory', max: 128 } })
    await expect(bus.run('for (;;);', { ...options, timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout' })
    expect(getFrontendPids()).toEqual([])
  })
})

test('a launcher gets the limits, a closed network, and the file of the script without its directory', async () => {
  const infos: LaunchInfo[] = []
  const commands: string[] = []
  const wall: Launcher = {
    name: 'test',
    launch(command, args, info) {
      infos.push(info)
      commands.push(args.join(' '))
      return { command, args }
    },
  }
  const directory = writeProject({ 'main.js': '', 'secret.js': '' })
  const file = join(directory, 'main.js')
  const bus = await start()
  const limits = { cpu: 2, pids: 50 }
  await bus.open('main', pathToFileURL(file), { sandbox: { kind: 'quickjs', process: true, wall, ...limits } })
  expect(infos).toMatchObject([{ net: false, limits: { pids: 50, tmp: undefined } }])
  expect(infos[0]!.reads.files).toContain(file)
  expect(infos[0]!.reads.directories.filter(path => file.startsWith(path))).toEqual([])
  expect(commands[0]).not.toContain('--allow-net')
})

test('onStdio gets all that it prints', async () => {
  const bus = await start()
  // A stream can arrive in parts.
  const output = { stdout: '', stderr: '' }
  const module = { source: 'console.log("a"); console.error("b")' }
  const onStdio: FrontendOptions['onStdio'] = (text, { stream }) => void (output[stream] += text)
  await bus.open('main', module, { sandbox: { kind: 'quickjs', process: true }, onStdio })
  // On a busy machine its end can take longer than the time after which it is killed.
  await bus.closeFrontend('main', { timeout: 60_000 })
  expect(output).toEqual({ stdout: 'a\n', stderr: 'b\n' })
})

test('a quota of its label holds', async () => {
  const bus = await start({ calls: { quotas: [{ labels: ['main'], rate: 1 }] } })
  const module = {
    source: `sallyport.expose({ twice: async () => {
      await sallyport.invoke('add', { a: 1, b: 2 })
      await sallyport.invoke('add', { a: 1, b: 2 })
    } })`,
  }
  await bus.open('main', module, { sandbox: { kind: 'quickjs', process: true }, allow: ['add'] })
  await expect(bus.call('main', 'twice')).rejects.toMatchObject({ reason: 'Overloaded' })
})

test('the log has no warning of an open network, which a script cannot use', async () => {
  const lines: string[] = []
  const bus = await start({ log: pino({ level: 'warn' }, { write: line => void lines.push(line) }) })
  await open(bus, { wall: 'none' })
  expect(lines).toEqual([])
})

test('wrong options are refused', () =>
  rows<[object, string]>([
    [{ process: true, read: [] }, 'unknown option "sandbox.read"'],
    [{ process: true, net: false }, 'sandbox.net must be an array of hosts'],
    [{ process: true, tmp: 1 }, 'unknown option "sandbox.tmp"'],
    [{ process: 'yes' }, 'sandbox.process must be true or false: got "yes"'],
    [{ kind: 'sess', process: true }, 'sandbox.kind must be "permission", "process" or "quickjs": got "sess"'],
    [{ process: false, wall: 'required' }, 'sandbox.wall must be left out: it needs process: true'],
  ])(async (sandbox, message) => {
    const bus = await start()
    const opened = bus.open('main', { source }, { sandbox: { kind: 'quickjs', ...sandbox } as QuickjsSandbox })
    await expect(opened).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(opened).rejects.toThrow(message)
  }))
