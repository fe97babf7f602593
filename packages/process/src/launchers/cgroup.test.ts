// Cgroups in directories of the test, as a kernel of each version would show them.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createCgroup, readReachedLimit } from './cgroup.js'

const roots: string[] = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true })
})

function createRoot(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'cgroup-'))
  roots.push(root)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return root
}

const readAll = (directory: string): Record<string, string> =>
  Object.fromEntries(readdirSync(directory).map(name => [name, readFileSync(join(directory, name), 'utf8')]))

const limits = { memory: 64, cpus: 0.5, pids: 20 }

test('version 1: one for each controller, below that of the host', () => {
  const root = createRoot({ 'memory/app/tasks': '', 'pids/tasks': '', 'cpu/app/tasks': '' })
  const ownCgroups = '5:pids:/elsewhere\n4:memory:/app\n3:cpu,cpuacct:/app\n'
  const { directories, joins } = createCgroup(limits, root, ownCgroups)!
  expect(directories.map(directory => join(directory, '..').slice(root.length))).toEqual([
    '/memory/app',
    '/pids',
    '/cpu/app',
  ])
  expect(joins).toEqual(directories.map(directory => join(directory, 'cgroup.procs')))
  expect(directories.map(readAll)).toEqual([
    { 'memory.limit_in_bytes': String(64 * 2 ** 20), 'memory.swappiness': '0' },
    { 'pids.max': '20' },
    { 'cpu.cfs_period_us': '100000', 'cpu.cfs_quota_us': '50000' },
  ])
})

test('two threads of a process can have a host each', async () => {
  const root = createRoot({ 'memory/tasks': '' })
  const createOne = async (): Promise<unknown> => {
    vi.resetModules()
    const { createCgroup } = await import('./cgroup.js')
    return createCgroup({ memory: 64 }, root, '4:memory:/\n')
  }
  const both = [await createOne(), await createOne()]
  expect(both).toEqual(Array(2).fill({ directories: [expect.any(String)], joins: [expect.any(String)] }))
})

test('version 2: below that of the host, whose controllers are enabled', () => {
  const root = createRoot({ 'cgroup.controllers': 'cpu memory pids', 'app/cgroup.subtree_control': 'memory' })
  const { directories } = createCgroup(limits, root, '0::/app\n')!
  expect(readFileSync(join(root, 'app/cgroup.subtree_control'), 'utf8')).toBe('+cpu +pids')
  expect(directories).toEqual([join(root, 'app', basename(directories[0]!))])
  expect(readAll(directories[0]!)).toEqual({
    'memory.max': String(64 * 2 ** 20),
    ...{ 'memory.swap.max': '0', 'memory.oom.group': '1', 'pids.max': '20', 'cpu.max': '50000 100000' },
  })
})

test('version 2: next to that of the host if that one has no children', () => {
  const root = createRoot({
    'cgroup.controllers': '',
    'app/cgroup.subtree_control': 'cpu memory pids',
    'app/host/tasks': '',
  })
  const { directories } = createCgroup(limits, root, '0::/app/host\n')!
  expect(join(directories[0]!, '..')).toBe(join(root, 'app'))
})

test('no limits, or a host that may not make a cgroup: nothing is made or left', () => {
  const root = createRoot({ 'memory/tasks': '' })
  expect(createCgroup({}, root, '')).toBeUndefined()
  expect(createCgroup({ memory: 64 }, '/proc/1', '0::/\n')).toBeUndefined()
  expect(createCgroup({ pids: 5 }, root, '')).toBeUndefined()
  expect(readdirSync(root)).toEqual(['memory'])
})

test('those of hosts that were killed are removed', () => {
  const root = createRoot({ 'memory/tasks': '' })
  const abandoned = join(root, 'memory', `sallyport-${2 ** 22 + 1}-3`)
  const used = join(root, 'memory', `sallyport-${process.pid}-1000000`)
  for (const directory of [abandoned, used]) mkdirSync(directory)
  createCgroup({ memory: 64 }, root, '')
  expect([abandoned, used].map(existsSync)).toEqual([false, true])
})

test('reads the limit that was reached', () =>
  rows([
    [
      {
        'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
        'memory.limit_in_bytes': '67108864\n',
      },
      'memory',
      64,
    ],
    [{ 'memory.events': 'low 0\nmax 9\noom 1\noom_kill 1\n', 'memory.max': '67108864\n' }, 'memory', 64],
    [{ 'pids.events': 'max 3\n', 'pids.max': '20\n' }, 'pids', 20],
  ] as const)((files, limit, max) => expect(readReachedLimit([createRoot(files)])).toEqual({ limit, max })))

test('a limit that was not reached is not reported', () => {
  const root = createRoot({ 'memory.events': 'max 9\noom_kill 0\n', 'pids.events': 'max 0\n' })
  expect(readReachedLimit([root, '/none'])).toBeUndefined()
})
