// Scripts in processes (`sandbox: { kind: 'quickjs', process: true }`), each alone or several in one: what they promise beyond all members
// (members.test.ts).
import { existsSync } from 'node:fs'
import type { LaunchInfo } from '@sallyport/process/internal/launchers'
import type { QuickjsSandbox } from '../../../src/life/sandboxes/quickjs.js'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { type Bus, command, createBus, defineCore, type FrontendOptions, type RunOptions } from '../../../src/index.js'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import type { Launcher } from '../../../src/launchers.js'
import { TEMPORARY } from '../../support/members.js'
import { getFrontendPids } from '../../support/processes.js'
import { writeProject } from '../../support/project.js'
import { isolation, start } from '../../support/start.js'
import { LONGEST } from './script-time.js'
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
    flood: () => { for (let n = 0; n < 200; n++) sallyport.emit('noise', 'x'.repeat(50_000)).catch(() => {}) },
  })
`
const PROCESS: QuickjsSandbox = { kind: 'quickjs', process: true }
const SEVERAL: QuickjsSandbox = { ...PROCESS, wall: 'none', perProcess: 100 }

async function open(bus: Bus, labels: readonly string[], sandbox: QuickjsSandbox, options: FrontendOptions = {}) {
  for (const label of labels) await bus.open(label, { source }, { ...TEMPORARY, allow: '*', ...options, sandbox })
}

describe.each(
  choose([
    ['none', 'none'],
    ['auto', found],
  ] as const),
)('wall: %s', (wall, name) => {
  test('a script has nothing of Node, and its data shares no memory with other data', async () => {
    const bus = await start()
    await open(bus, ['main'], { ...PROCESS, wall }, { data: { bytes: new Uint8Array([1, 2, 3]) } })
    expect(await bus.call('main', 'reach')).toEqual([])
    expect(await bus.call('main', 'data')).toEqual([3, [1, 2, 3]])
    expect(bus.frontends()).toMatchObject([{ label: 'main', sandbox: 'quickjs', wall: name }])
    expect((await bus.stats()).frontends.main).toMatchObject({ wall: name })
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
  await bus.open('main', pathToFileURL(file), { sandbox: { ...PROCESS, wall, ...limits } })
  expect(infos).toMatchObject([{ net: false, limits: { pids: 50, tmp: undefined } }])
  expect(infos[0]!.reads.files).toContain(file)
  expect(infos[0]!.reads.directories.filter(path => file.startsWith(path))).toEqual([])
  expect(commands[0]).not.toContain('--allow-net')
})

test('the log has no warning of an open network, which a script cannot use', async () => {
  const lines: string[] = []
  const bus = await start({ log: pino({ level: 'warn' }, { write: line => void lines.push(line) }) })
  await open(bus, ['main'], { ...PROCESS, wall: 'none' })
  expect(lines).toEqual([])
})

describe.runIf(hasProc)('scripts of one process', () => {
  test('as many share a process as the option says, and it ends with the last of them', async () => {
    const bus = await start()
    await open(bus, ['a', 'b', 'c'], { ...SEVERAL, perProcess: 2 })
    expect(getFrontendPids()).toHaveLength(2)
    await bus.closeFrontend('c')
    await expect.poll(() => getFrontendPids().length).toBe(1)
    await bus.closeFrontend('a')
    await bus.closeFrontend('b')
    await expect.poll(() => getFrontendPids().length).toBe(0)
  })

  test('a script that is closed while core reads none of its frames has no other fault than that they are lost', async () => {
    const core =
      'export default { commands: { block: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500) } }'
    const bus = await start({ core: new URL(`data:text/javascript,${encodeURIComponent(core)}`) })
    const faults: unknown[] = []
    bus.on('fault', fault => void faults.push(fault))
    await open(bus, ['a', 'b'], { ...SEVERAL, ...LONGEST })
    const client = await bus.connect('client', { allow: '*' })
    await bus.call('a', 'flood')
    const blocked = client.invoke('block')
    await bus.closeFrontend('a')
    await blocked
    // Its relay can have all of them when the time is over.
    const error = expect.objectContaining({ reason: 'Timeout', data: { unsent: 'unknown' } }) as unknown
    expect([[], [{ label: 'a', error }]]).toContainEqual(faults)
    expect(await bus.call('b', 'count')).toBe(1)
  })

  test('a run uses a process that is kept, which is replaced if it ends', async () => {
    const bus = await start(isolation('judge'))
    const options: RunOptions = { sandbox: { ...SEVERAL, spares: 1 }, timeout: 60_000 }
    expect(await bus.run('return 1', options)).toBe(1)
    const pids = getFrontendPids()
    expect(pids).toHaveLength(1)
    expect(await bus.run(`return invoke('add', { a: 2, b: 1 })`, options)).toBe(3)
    expect(getFrontendPids()).toEqual(pids)
    expect(await bus.stats()).toMatchObject({ spares: 1 })
    process.kill(pids[0]!, 'SIGKILL')
    // Within this tick the host does not know.
    expect(await bus.run('return 1', options)).toBe(1)
    expect(getFrontendPids()).not.toEqual(pids)
  })

  test('a run is interrupted and resumed', async () => {
    const core = defineCore({ commands: { ask: command({}, (_args: unknown, ctx) => ctx.interrupt({ question: 1 })) } })
    const bus = await createBus({ core, log: false, runs: { key: new Uint8Array(32).fill(1) } })
    try {
      const options = { sandbox: { ...SEVERAL, spares: 1 } as const, allow: ['ask'], timeout: 60_000 }
      const code = `const local = 20; return local + await invoke('ask')`
      const report = await bus.run(code, { ...options, report: true })
      expect(report).toMatchObject({ status: 'interrupted', data: { question: 1 } })
      const { continuation } = report as unknown as { continuation: Uint8Array }
      const { allow, timeout, sandbox } = options
      expect(await bus.resume(continuation, { value: 22 }, { allow, timeout, sandbox })).toBe(42)
    } finally {
      await bus.close({ timeout: 0 })
    }
  })
})

test('wrong options are refused', () =>
  rows<[object, string]>([
    [{ process: true, read: [] }, 'unknown option "sandbox.read"'],
    [{ process: true, net: false }, 'sandbox.net must be an array of hosts'],
    [{ process: true, tmp: 1 }, 'unknown option "sandbox.tmp"'],
    [{ process: 'yes' }, 'sandbox.process must be true or false: got "yes"'],
    [{ kind: 'sess', process: true }, 'sandbox.kind must be "permission", "process" or "quickjs": got "sess"'],
    [{ process: false, wall: 'required' }, 'sandbox.wall must be left out: it needs process: true'],
    [
      { process: true, wall: { name: 'ssh', isElsewhere: true, launch() {} } },
      'sandbox.wall cannot hold scripts, whose engine is a file: the launcher "ssh" has the process elsewhere',
    ],
  ])(async (sandbox, message) => {
    const bus = await start()
    const opened = bus.open('main', { source }, { sandbox: { kind: 'quickjs', ...sandbox } as QuickjsSandbox })
    await expect(opened).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(opened).rejects.toThrow(message)
  }))
