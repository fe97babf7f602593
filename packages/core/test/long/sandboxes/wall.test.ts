// The wall of a frontend's process: which launcher starts it, what the host says about it, and its limits.
import { execFile } from 'node:child_process'
import type { LaunchInfo } from '@sallyport/process/internal/launchers'
import type { ProcessSandbox } from '../../../src/life/sandboxes/process.js'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { defineCore, type Bus, type BusEvents, type BusOptions } from '../../../src/index.js'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import { bubblewrap, type Launcher, LauncherUnavailable } from '../../../src/launchers.js'
import { fixture, start } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const module = fixture('sandboxes/walled.mjs')
const found = (await findWall()).launcher?.name
const hasBubblewrap = found === 'bubblewrap'
const core = defineCore({})

const open = async (sandbox: Partial<ProcessSandbox>, options: Partial<BusOptions> = {}) => {
  const bus = await start({ core, ...options })
  await bus.open('main', module, { sandbox: { kind: 'process', ...sandbox }, supervision: { restart: 'temporary' } })
  return bus
}

const plain: Launcher = { name: 'plain', launch: (command, args) => ({ command, args }) }

test('bus.frontends() and bus.stats() have the wall', () =>
  rows([
    [{}, found ?? 'none'],
    [{ wall: 'none' as const }, 'none'],
    [{ wall: plain }, 'plain'],
  ])(async (sandbox, wall) => {
    const bus = await open(sandbox)
    expect(bus.frontends()).toMatchObject([{ label: 'main', sandbox: 'process', wall }])
    expect((await bus.stats()).frontends.main).toMatchObject({ wall })
  }))

test.runIf(hasBubblewrap)('the time zone is that of the host, in each sandbox and in programs', () =>
  rows([
    ['Asia/Tokyo', '+0900', -540],
    [':/usr/share/zoneinfo/Asia/Tokyo', '+0900', -540],
    ['Nowhere/Else', '+0000', 0],
  ])(async (TZ, ofDate, ofCode) => {
    const host = fileURLToPath(fixture('sandboxes/time-zones.mjs'))
    const { stdout } = await promisify(execFile)(process.execPath, [host], { env: { ...process.env, TZ } })
    const zones = new Map(Object.entries(JSON.parse(stdout) as Record<string, unknown>))
    const wrong = [...zones].filter(([name, zone]) => zone !== (name.startsWith('date ') ? ofDate : ofCode))
    expect({ wrong, sandboxes: zones.size }).toEqual({ wrong: [], sandboxes: 10 })
  }),
)

test('a frontend without a process has no wall', async () => {
  const bus = await start({ core })
  await bus.open('main', module)
  expect(Object.keys(bus.frontends()[0]!)).not.toContain('wall')
})

test('the log says once which wall the processes have', async () => {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'info' }, { write: line => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  const bus = await open({}, { log })
  await bus.open('other', module, { sandbox: 'process' })
  expect(lines.filter(line => 'wall' in line)).toMatchObject([{ wall: found ?? 'none' }])
})

test.runIf(process.platform !== 'win32')('a process has the priority of its host and 5 more in any wall', () =>
  rows([0, 3])(async more => {
    const host = [process.execPath, fileURLToPath(fixture('sandboxes/priority-host.mjs'))]
    const { stdout } = await promisify(execFile)('nice', ['-n', String(more), ...host])
    const own = Math.min(getPriority() + more, 19)
    expect(JSON.parse(stdout)).toEqual({ host: own, priorities: Array(3).fill(Math.min(own + 5, 19)) })
  }),
)

describe('a launcher', () => {
  test('gets the command, the files and the limits, and starts what it returns', async () => {
    const infos: LaunchInfo[] = []
    const launcher: Launcher = {
      name: 'env',
      launch(command, args, info) {
        infos.push(info)
        return { command: '/usr/bin/env', args: ['env', command, ...args] }
      },
    }
    const bus = await open({ wall: launcher, memory: 300, pids: 50 })
    expect(await bus.call('main', 'add', { a: 1, b: 2 })).toBe(3)
    expect(infos).toMatchObject([{ descriptors: [4], net: false, limits: { memory: 300, pids: 50, tmp: undefined } }])
    expect(infos[0]!.program).toEqual({
      entry: expect.stringMatching(/process\.c?js$/) as string,
      node: process.version,
    })
    expect(infos[0]!.reads.directories.length).toBeGreaterThan(0)
  })

  test('rejects the start if it cannot hold the process, returns no command, has no program, or is none', async () => {
    const launch = (): never => {
      throw new LauncherUnavailable('test is not available: it is missing. Install it')
    }
    const returns = (result: unknown): unknown => ({ name: 'test', launch: () => result })
    const none = 'sandbox.wall must be "auto", "required", "none" or a launcher, such as await bubblewrap()'
    const mine = { name: 'mine', launch }
    await rows<[wall: unknown, message: string, reason?: string]>([
      [{ name: 'test', launch }, 'test is not available: it is missing. Install it', 'InvalidParams'],
      [returns({ command: '/bin/true', args: [], env: { A: 1 } }), 'an "env" whose "A" is no string'],
      [
        returns({ command: '/none/program', args: [] }),
        'frontend "main" was not started: its launcher "test" returned the command "/none/program", which does not exist',
        'InvalidParams',
      ],
      [returns({ command: '/bin/false', args: [] }), 'exited with code 1'],
      ...['bwrap', bubblewrap().catch(() => {}), () => {}].map((wall): [unknown, string] => [wall, none]),
      ['deno', 'sandbox.wall must be await deno(), of \'@sallyport/core/launchers\': got "deno"'],
      [{}, 'sandbox.wall.name is missing'],
      [{ ...mine, name: '' }, 'sandbox.wall.name must be a name'],
      [{ name: 'mine', lauch: launch }, 'unknown option "sandbox.wall.lauch" (did you mean "launch"?)'],
      [{ ...mine, isElsewere: true }, 'unknown option "sandbox.wall.isElsewere" (did you mean "isElsewhere"?)'],
      [{ ...mine, isElsewhere: 1 }, 'sandbox.wall.isElsewhere must be true or false'],
      [{ ...mine, holds: ['memroy'] }, 'sandbox.wall.holds[0] must be "memory", "cpu", "pids" or "tmp": got "memroy"'],
    ])(async (wall, message, reason = expect.any(String) as string) =>
      expect(open({ wall: wall as Launcher })).rejects.toMatchObject({
        reason,
        message: expect.stringContaining(message) as string,
      }),
    )
  })
})

test.runIf(process.platform !== 'win32')('the log warns of a process that its launcher could not end', () =>
  rows([
    [
      'echo it is gone >&2; exit 3',
      [
        '"stop" of the launcher "box" exited with code 3: it is gone. The process of frontend "main" may live on. ' +
          'End it: ["/bin/sh","-c","echo it is gone >&2; exit 3"]',
      ],
    ],
    ['exit 0', []],
  ])(async (script, warnings) => {
    const lines: { launcher?: string; msg: string }[] = []
    const log = pino({ level: 'warn' }, { write: line => void lines.push(JSON.parse(line) as { msg: string }) })
    const stop = { command: '/bin/sh', args: ['-c', script] }
    const wall: Launcher = { name: 'box', isElsewhere: true, launch: (command, args) => ({ command, args, stop }) }
    const bus = await open({ wall }, { log })
    await bus.closeFrontend('main')
    const ofStop = lines.filter(({ launcher }) => launcher === 'box').map(({ msg }) => msg)
    expect(ofStop).toEqual(warnings)
  }),
)

test('a launcher that has not started the process in time is named', async () => {
  const bus = await start({ core })
  const wall: Launcher = { name: 'slow', launch: () => ({ command: '/bin/sh', args: ['-c', 'read -r _; read -r _'] }) }
  const opened = bus.open('main', module, { sandbox: { kind: 'process', wall }, loadTimeout: 1 })
  const message = 'frontend "main": its launcher "slow" has not started the process within 1 ms. See what it prints'
  await expect(opened).rejects.toMatchObject({ reason: 'Timeout', message: expect.stringContaining(message) as string })
})

test('a launcher can be an object of a class, with members of its own', async () => {
  class Own {
    readonly name = 'own'
    readonly #program = '/usr/bin/env'
    runs = 0
    launch(command: string, args: readonly string[]) {
      this.runs++
      return { command: this.#program, args: [command, ...args] }
    }
  }
  const wall = new Own()
  expect(await (await open({ wall })).call('main', 'add', { a: 1, b: 2 })).toBe(3)
  expect(wall.runs).toBe(1)
})

describe.runIf(hasBubblewrap)('in bubblewrap', () => {
  test('a frontend has no environment but the time zone, no other processes, no network interfaces, and an empty directory', async () => {
    const bus = await open({ wall: 'required' })
    expect(await bus.call('main', 'inspect')).toEqual({
      env: ['TZ'],
      cwd: '/tmp',
      files: [],
      write: 'ERR_ACCESS_DENIED',
    })
    expect(await bus.call('main', 'ask')).toEqual({ home: '/nonexistent', user: 'frontend', interfaces: {} })
    await expect(bus.call('main', 'watch')).rejects.toThrow(
      'The sandbox denied fs.watch. Poll instead, with fs.watchFile',
    )
  })

  test('a network that is closed is explained', async () => {
    const bus = await start({ core })
    const options = { data: { connects: true }, supervision: { restart: 'temporary' } } as const
    const opened = bus.open('main', module, { ...options, sandbox: { kind: 'process', net: false } })
    await expect(opened).rejects.toThrow("Allow it: add net: true to the frontend's sandbox, { kind: 'process', … }")
  })

  test('tmp is the size of its files', async () => {
    const bus = await open({ tmp: 2 })
    expect(await bus.call('main', 'fill', { bytes: 2 ** 20 })).toBe('written')
    expect(await bus.call('main', 'fill', { bytes: 3 * 2 ** 20 })).toBe('ENOSPC')
  })

  test('tmp bounds the number of files, and the fault has the limit', async () => {
    const bus = await open({ tmp: 1 })
    expect(await bus.call('main', 'makeFiles', { count: 1000 })).toBe(1000)
    const fault = nextFault(bus)
    const call = bus.call('main', 'makeFiles', { count: 1e6 }).catch((error: { reason: string }) => error.reason)
    const { error } = await fault
    expect(error.data).toEqual({ limit: 'tmp', max: 1 })
    expect(error.message).toMatch(/^frontend "main" had \d+ files in \/tmp \(limit: 2024, for 1 MiB\)$/)
    expect(await call).toBe('Disconnected')
  })

  describe('packages that are linked', () => {
    let directory: string
    const file = (...names: string[]): string => join(directory, ...names)
    beforeEach(() => {
      directory = realpathSync(mkdtempSync(join(tmpdir(), 'linked-')))
      for (const names of [
        ['packages', 'linked'],
        ['app', 'src'],
        ['modules', '@sallyport'],
      ]) {
        mkdirSync(file(...names), { recursive: true })
      }
      const frontend = fileURLToPath(new URL('../../', import.meta.resolve('@sallyport/frontend')))
      symlinkSync(frontend.replace(/\/$/, ''), file('modules', '@sallyport', 'frontend'))
      symlinkSync('../packages/linked', file('modules', 'linked'))
      writeFileSync(file('packages', 'linked', 'package.json'), '{ "type": "module", "exports": "./index.js" }')
      writeFileSync(file('packages', 'linked', 'index.js'), 'export const value = 5')
      const source = `import { expose } from '@sallyport/frontend'
        import { value } from 'linked'
        expose({ read: () => value })`
      writeFileSync(file('app', 'src', 'main.mjs'), source)
    })
    afterEach(() => rmSync(directory, { recursive: true }))

    const read = async (sandbox: Partial<ProcessSandbox> = {}) => {
      const bus = await start({ core })
      await bus.open('main', pathToFileURL(file('app', 'src', 'main.mjs')), {
        sandbox: { kind: 'process', wall: 'required', ...sandbox },
        supervision: { restart: 'temporary' },
      })
      return bus.call('main', 'read')
    }

    test('are named with the option that allows them', async () => {
      renameSync(file('modules'), file('app', 'node_modules'))
      rmSync(file('app', 'node_modules', 'linked'))
      symlinkSync('../../packages/linked', file('app', 'node_modules', 'linked'))
      const linked = file('packages', 'linked')
      await expect(read()).rejects.toThrow(`Allow it: add read: [${JSON.stringify(linked)}] to the frontend's sandbox`)
      expect(await read({ read: [linked] })).toBe(5)
    })

    test('load from a node_modules of the host that is a link itself', async () => {
      symlinkSync('../modules', file('app', 'node_modules'))
      const [, program] = process.argv
      onTestFinished(() => void (process.argv[1] = program!))
      process.argv[1] = file('app', 'src', 'main.mjs')
      expect(await read({ read: [file('packages', 'linked')] })).toBe(5)
    })
  })

  test('a module that it may not read is named with the option that allows it', async () => {
    const bus = await start({ core })
    const source = `import '/usr/hidden.mjs'`
    const opened = bus.open('main', { source, directory: fixture('sandboxes/') }, { sandbox: 'process' })
    await expect(opened).rejects.toThrow('Allow it: add read: ["/usr/hidden.mjs"] to')
  })
})

const nextFault = (bus: Bus): Promise<BusEvents['fault']> => new Promise(resolve => bus.on('fault', resolve))

const getCgroups = (): string[] =>
  ['memory', 'pids', 'cpu', ''].flatMap(controller => {
    const directory = `/sys/fs/cgroup/${controller}`
    return existsSync(directory)
      ? readdirSync(directory).filter(name => name.startsWith(`sallyport-${process.pid}-`))
      : []
  })

describe.runIf(process.platform === 'linux').each(choose(['none', 'auto'] as const, 1))('limits, wall: %s', wall => {
  test('memory ends the process, and the fault has the limit', async () => {
    const bus = await open({ wall, memory: 200 })
    const fault = nextFault(bus)
    const call = bus.call('main', 'allocate').catch((error: { reason: string }) => error.reason)
    const { label, error } = await fault
    expect([label, error.reason, error.data]).toEqual(['main', 'Crashed', { limit: 'memory', max: 200 }])
    expect(error.message).toMatch(/^frontend "main" used more memory than its limit of 200 MiB$/)
    expect(await call).toBe('Disconnected')
    await bus.close({ timeout: 0 })
    expect(getCgroups()).toEqual([])
  })

  test('pids ends a process with more threads, and the error has the limit', async () => {
    const bus = await start({ core })
    const fault = nextFault(bus).then(({ error }) => error)
    const sandbox = { kind: 'process', wall, pids: 3 } as const
    const opened = bus.open('main', module, { sandbox, supervision: { restart: 'temporary' } })
    // The process can be ready before its threads are counted.
    const error = await Promise.race([
      fault,
      opened.then(
        () => fault,
        (error: unknown) => error,
      ),
    ])
    expect(error).toMatchObject({ data: { limit: 'pids', max: 3 } })
    await bus.close({ timeout: 0 })
    expect(getCgroups()).toEqual([])
  })
})
