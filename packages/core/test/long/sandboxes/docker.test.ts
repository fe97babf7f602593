// A plugin in a container, over a stand-in for Docker: the container is not the child of its client, and outlives it. SALLYPORT_DOCKER names a real one.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findProgram } from '../../../../process/src/launchers/programs.js'
import type { ProcessSandbox } from '../../../src/life/sandboxes/process.js'
import { docker } from '../../../src/launchers.js'
import { getChildren } from '../../support/get-children.mjs'
import { isRunning } from '../../support/processes.js'
import { fixture, start } from '../../support/start.js'
import { rows } from '../../../../../scripts/testing.js'

const { SALLYPORT_DOCKER: real } = process.env
const standIn = fileURLToPath(fixture('sandboxes/docker.sh'))
const program = real === undefined ? standIn : findProgram(real)!

const getTree = (pid: number): number[] => [pid, ...getChildren(pid).flatMap(getTree)]

describe.runIf(real ?? (process.platform === 'linux' && findProgram('bwrap')))('in a container', () => {
  let state: string
  beforeEach(() => {
    state = realpathSync(mkdtempSync(join(tmpdir(), 'docker-')))
    vi.stubEnv('DOCKER_STATE', state)
  })
  afterEach(() => rmSync(state, { recursive: true }))

  const getContainers = (): string[] =>
    execFileSync(program, ['ps', '--all', '--filter', 'name=sallyport-', '--format', '{{.Names}}'], {
      encoding: 'utf8',
    })
      .split('\n')
      .filter(Boolean)
  /** Of the stand-in: Docker's are those of its daemon, or of another machine. */
  const getPids = (): number[] =>
    real === undefined ? getContainers().flatMap(name => getTree(Number(readFileSync(join(state, name))))) : []
  const getLastRun = (): string => readFileSync(join(state, 'runs'), 'utf8').trim().split('\n').at(-1)!

  const open = async (
    sandbox: Partial<ProcessSandbox> = {},
    module = fixture('sandboxes/walled.mjs'),
    data?: string,
  ) => {
    const bus = await start({ core: fixture('core.mjs') })
    const wall = await docker({ docker: program, args: ['--label', 'app=shop'] })
    const supervision = { restart: 'temporary' } as const
    await bus.open('main', module, { data, sandbox: { kind: 'process', wall, ...sandbox }, supervision, allow: '*' })
    return bus
  }

  test('a frontend has its files, the time zone and nothing else, and the container has ended with it', async () => {
    const bus = await open()
    expect(bus.frontends()).toMatchObject([{ label: 'main', wall: 'docker' }])
    expect(await bus.call('main', 'inspect')).toMatchObject({ env: ['TZ'], cwd: '/tmp', files: [] })
    expect(await bus.call('main', 'ask')).toMatchObject(
      real === undefined ? { home: '/nonexistent', user: 'nobody', interfaces: {} } : { interfaces: {} },
    )
    const pids = getPids()
    expect(getContainers()).toHaveLength(1)
    await bus.closeFrontend('main')
    expect(getContainers()).toEqual([])
    await expect.poll(() => pids.filter(isRunning)).toEqual([])
  })

  test('a connection that fails without a network is a denial, whatever its address is', async () => {
    const bus = await open({}, fixture('sandboxes/denied.mjs'))
    await rows(
      ['192.0.2.1', '127.0.0.1', 'example.com'].flatMap(host => ['connect', 'fetch'].map(how => ({ how, host }))),
    )(({ how, host }) =>
      expect(bus.call('main', how, { value: `http://${host}` })).rejects.toThrow('The sandbox denied the network.'),
    )
  })

  test('limits are those of the container, and a directory of "write" is the only one that it changes', async () => {
    const directory = join(state, 'written')
    mkdirSync(directory)
    const write = [pathToFileURL(directory)]
    const bus = await open({ memory: 100, cpu: 0.5, pids: 30, tmp: 2, net: true, write })
    expect(await bus.call('main', 'fill', { bytes: 2 ** 20 })).toBe('written')
    expect(await bus.call('main', 'fill', { bytes: 3 * 2 ** 20 })).toBe('ENOSPC')
    if (real !== undefined) return
    const run = getLastRun()
    expect(run).toContain(' --memory 102400k --memory-swap 102400k --cpus 0.5 --pids-limit 30 --tmpfs /tmp:size=2048k ')
    expect(run).toContain(` -v ${directory}:${directory} `)
    expect(run).not.toContain('--network')
    const others = run
      .split(' -v ')
      .slice(1)
      .map(text => text.split(' ')[0])
    expect(others.filter(mount => !mount!.endsWith(':ro'))).toEqual([`${directory}:${directory}`])
  })

  test('one that spins ends with its client, with the bus, and with a host that is killed', async () => {
    const spin = async () => {
      const bus = await open({}, fixture('sandboxes/ends.mjs'), 'spin')
      const pids = getPids()
      expect(getContainers()).toHaveLength(1)
      return { bus, pids }
    }
    const killed = await spin()
    const fault = new Promise<{ error: Error }>(resolve => killed.bus.on('fault', resolve))
    for (const client of getChildren(process.pid).filter(pid => readCommand(pid).includes(`${program}\0run\0`)))
      process.kill(client, 'SIGKILL')
    expect((await fault).error.message).toBe('frontend "main" was terminated by SIGKILL')
    await expect.poll(() => [getContainers(), killed.pids.filter(isRunning)]).toEqual([[], []])

    const closed = await spin()
    await closed.bus.close({ timeout: 0 })
    expect(getContainers()).toEqual([])
    await expect.poll(() => closed.pids.filter(isRunning)).toEqual([])

    const args = [fileURLToPath(fixture('sandboxes/process-host.mjs')), 'docker', program]
    const host = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(host.stdout, 'data')
    const pids = getPids()
    expect(getContainers()).toHaveLength(2)
    host.kill('SIGKILL')
    await expect.poll(() => [getContainers(), pids.filter(isRunning)]).toEqual([[], []])
  })

  test.runIf(real === undefined)('one that is killed has probably reached its memory, if that is limited', () =>
    rows([
      { limits: {}, more: '' },
      { limits: { memory: 100 }, more: '. It probably used more memory than its limit of 100 MiB' },
    ])(async ({ limits, more }) => {
      writeFileSync(join(state, 'killed'), '')
      const bus = await open(limits)
      const fault = new Promise<{ error: Error }>(resolve => bus.on('fault', resolve))
      // The others of its tree end with the first of them.
      for (const pid of getPids().filter(isRunning)) process.kill(pid, 'SIGKILL')
      expect((await fault).error.message).toBe(`frontend "main" was terminated by SIGKILL${more}`)
    }),
  )

  test('a script runs in a container', async () => {
    const bus = await start()
    const wall = await docker({ docker: program })
    expect(await bus.run('return 1 + 1', { sandbox: { kind: 'quickjs', process: true, wall } })).toBe(2)
  })

  test.runIf(real === undefined)('one that is created after its client was killed ends, too', async () => {
    writeFileSync(join(state, 'late'), '')
    const hasHappened = (what: string) => expect.poll(() => existsSync(join(state, what))).toBe(true)
    const bus = await start()
    const wall = await docker({ docker: program })
    const sandbox = { kind: 'process', wall } as const
    const opened = bus.open('main', fixture('sandboxes/walled.mjs'), { sandbox }).catch((error: unknown) => error)
    await hasHappened('asked')
    await bus.close({ timeout: 0 })
    expect(await opened).toBeInstanceOf(Error)
    await hasHappened('created')
    await expect.poll(getContainers).toEqual([])
  })
})

const readCommand = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}
