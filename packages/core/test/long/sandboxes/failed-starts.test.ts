// A process that cannot be started: `open` rejects with the cause, nothing is left, and other processes go on.
import { execFile, spawnSync } from 'node:child_process'
import type { ProcessSandbox } from '../../../src/life/sandboxes/process.js'
import type { Launcher } from '@sallyport/process/internal/launchers'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import { fixture, start } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'failed-starts-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test.runIf(process.platform === 'linux')('no file descriptors are left', () =>
  rows(choose(['none', 'auto'] as const))(async wall => {
    const host = [process.execPath, fileURLToPath(fixture('sandboxes/few-descriptors.mjs')), wall]
    const args = ['-c', 'ulimit -n 300; exec "$@"', 'sh', ...host]
    const { stdout } = await promisify(execFile)('/bin/sh', args, { env: { ...process.env, TMPDIR: directory } })
    const refusal = 'Overloaded: The frontend process was not started: no file descriptors are left. '
    const refused = expect.stringContaining(refusal) as string
    // Each descriptor more lets the start get further.
    expect(JSON.parse(stdout)).toEqual({ outcomes: [...Array(8).fill(refused), 'opened'], left: [] })
  }),
)

test.runIf(process.platform === 'linux')(
  'a host that had too few descriptors for its first process starts later ones in the same wall as others',
  async () => {
    const host = [process.execPath, fileURLToPath(fixture('sandboxes/first-start.mjs'))]
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', 'ulimit -n 300; exec "$@"', 'sh', ...host])
    const { launcher } = await findWall()
    expect(JSON.parse(stdout)).toEqual({ failures: 8, wall: launcher?.name ?? 'none' })
  },
)

test.runIf(process.platform === 'linux')(
  'a directory that a host was started with is open in no process, also if it had too few descriptors for the first',
  () => {
    const host = [process.execPath, fileURLToPath(fixture('sandboxes/inherited.mjs'))]
    const inherited = openSync(directory, 'r')
    onTestFinished(() => closeSync(inherited))
    const stdio = [...Array<'ignore' | 'pipe'>(40).fill('ignore').fill('pipe', 1, 3), inherited]
    const runHost = (limit: number): unknown => {
      const { stdout } = spawnSync('/bin/sh', ['-c', `ulimit -n ${limit}; exec "$@"`, 'sh', ...host], { stdio })
      return JSON.parse(String(stdout))
    }
    expect(runHost(300)).toEqual({ first: 'EMFILE', later: expect.stringContaining('socket:') })
    // Nothing can be in its place.
    expect(runHost(40)).toEqual({ first: 'EMFILE', later: 'EMFILE' })
  },
)

test.runIf(process.platform === 'linux')('a host that is not the program of Node.js does not start itself again', () =>
  rows([
    ['sea', 'a single executable application'],
    ['electron', 'Electron without ELECTRON_RUN_AS_NODE'],
    ['nw', 'nw'],
    ['pkg', 'pkg'],
  ])(async (kind, name) => {
    const [program, started] = [join(directory, 'app'), join(directory, 'started')]
    writeFileSync(program, `#!/bin/sh\ntouch ${started}\n`, { mode: 0o700 })
    const host = fileURLToPath(fixture('sandboxes/embedded.mjs'))
    const { stdout } = await promisify(execFile)(process.execPath, [host, kind, program])
    const refusal = `InvalidParams: No process was started: the host runs in ${name}, which would start itself again `
    expect(JSON.parse(stdout)).toEqual({
      outcomes: Array(6).fill(expect.stringContaining(refusal)) as string[],
      threads: [1, 1],
    })
    expect(existsSync(started)).toBe(false)
  }),
)

test('the temporary directory is missing', async () => {
  const bus = await start()
  vi.stubEnv(process.platform === 'win32' ? 'TEMP' : 'TMPDIR', join(directory, 'missing'))
  onTestFinished(() => void vi.unstubAllEnvs())
  await rows(choose(['none', 'auto'] as const))(async wall => {
    const message = `The temporary directory ${join(directory, 'missing')} cannot be written (ENOENT). `
    await expect(bus.open('main', { source: '' }, { sandbox: { kind: 'process', wall } })).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining(message) as string,
    })
  })
})

test('the cgroup is removed if what a launcher returns cannot be started', () =>
  rows([
    ['a program that does not exist', '/none', 'does not exist'],
    ['an invalid name of a program', '/none\0', 'does not exist'],
    ['a directory', directory, 'cannot be executed'],
  ])(async (_what, command, cause) => {
    const cgroup = join(directory, 'cgroup')
    const launcher: Launcher = {
      name: 'broken',
      launch() {
        mkdirSync(cgroup)
        return { command, args: [], cgroups: [cgroup] }
      },
    }
    const bus = await start()
    const source = { source: '', name: 'main.js' }
    await expect(bus.open('main', source, { sandbox: { kind: 'process', wall: launcher } })).rejects.toThrow(cause)
    await expect.poll(() => existsSync(cgroup)).toBe(false)
  }))

// What V8 of Node 24 and later prints if the kernel refuses its memory.
const REFUSED = '# Fatal process out of memory: Failed to reserve virtual memory for CodeRange'

test.runIf(process.platform === 'linux')('a start for which the memory does not suffice names the limit', async () => {
  const launcher: Launcher = {
    name: 'tight',
    launch: () => ({ command: '/bin/sh', args: ['-c', `echo '${REFUSED}' >&2; ulimit -c 0; kill -TRAP $$`] }),
  }
  const bus = await start()
  const open = (sandbox: Partial<ProcessSandbox>): Promise<unknown> => {
    const supervision = { restart: 'temporary' } as const
    return bus.open('main', { source: '' }, { sandbox: { kind: 'process', wall: launcher, ...sandbox }, supervision })
  }
  await expect(open({ memory: 128 })).rejects.toMatchObject({
    message: expect.stringContaining('could not allocate memory (limit: 128 MiB)') as string,
    data: { limit: 'memory', max: 128 },
  })
  await expect(open({})).rejects.toThrow('ran out of memory')
})
