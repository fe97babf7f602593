// The wall around a process: a frontend that has left Node's permission model tries what an attacker would. Each attempt succeeds without
// the wall, and fails in it, for a host of root and of an ordinary user.
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { findDependency } from '../../../../process/src/launchers/deno.js'
import { findWall } from '../../../../process/src/launchers/find-wall.js'
import { withFilterFile } from '../../../../process/src/launchers/launcher.js'
import { createFilter } from '../../../../process/src/launchers/seccomp.js'
import { SYSCALLS } from '../../../../process/src/launchers/syscalls.js'

const ORDINARY = 65534
const isRoot = process.getuid?.() === 0
const hasWall = (await findWall()).launcher?.name === 'bubblewrap'
const host = fileURLToPath(new URL('wall/host.mjs', import.meta.url))

interface Attack {
  outcomes: Record<string, string>
  /** Of attempts that some versions of Node.js do not allow without a wall. */
  more: Record<string, string>
  survivors: number
}

async function attack(args: readonly string[], uid?: number): Promise<Attack> {
  const child = spawn(process.execPath, [host, ...args], {
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid !== undefined && { uid, gid: uid }),
  })
  return JSON.parse(await text(child.stdout)) as Attack
}

const getSuccesses = (outcomes: Attack['outcomes']): string[] =>
  Object.keys(outcomes).filter(name => outcomes[name] === 'succeeded')

/** An ordinary user cannot start Node from every directory of root's. */
const canRun = (uid: number): boolean =>
  spawnSync(process.execPath, ['-e', `require('node:fs').accessSync(${JSON.stringify(host)})`], { uid, cwd: '/' })
    .status === 0

const users: [name: string, uid: number | undefined, isPossible: boolean, launcherArgs: string[]][] = [
  ['root', undefined, isRoot, []],
  ['root, with a process of another user', undefined, isRoot && canRun(ORDINARY), [String(ORDINARY)]],
  ['an ordinary user', isRoot ? ORDINARY : undefined, !isRoot || canRun(ORDINARY), []],
]

for (const [name, uid, isPossible, launcherArgs] of users) {
  test.runIf(hasWall && isPossible)(
    `a host of ${name}: every attempt succeeds without the wall, and none in it`,
    async () => {
      const without = await attack(['plain'], uid)
      expect(getSuccesses(without.outcomes)).toEqual(Object.keys(without.outcomes))
      expect(getSuccesses(without.outcomes).length).toBeGreaterThanOrEqual(40)
      expect(getSuccesses(without.more).length).toBeGreaterThanOrEqual(10)
      expect(without.survivors).toBe(2)
      const within = await attack(['bubblewrap', ...launcherArgs], uid)
      expect(Object.keys(within.outcomes)).toEqual(Object.keys(without.outcomes))
      expect(getSuccesses({ ...within.outcomes, ...within.more })).toEqual([])
      expect(within.survivors).toBe(4)
    },
  )
}

const program = findDependency(fileURLToPath(import.meta.url))

for (const kind of ['deno', 'deno in bubblewrap']) {
  test.runIf(program !== undefined && (hasWall || kind === 'deno'))(`${kind}: no attempt succeeds`, async () => {
    const within = await attack([kind, program!])
    expect(Object.keys(within.outcomes).length + Object.keys(within.more).length).toBeGreaterThanOrEqual(60)
    expect(getSuccesses({ ...within.outcomes, ...within.more })).toEqual([])
    expect(within.survivors).toBe(4)
  })
}

const isThere = (path: string): boolean => {
  try {
    accessSync(path)
    return true
  } catch {
    return false
  }
}
const PERL = '/usr/bin/perl'

// Perl calls the kernel by number, as native code would. These could end it or the test, and are in the unit tests of the filter.
const UNTRIED = [
  'fork',
  'vfork',
  'kill',
  'tkill',
  'reboot',
  'rt_sigqueueinfo',
  'rt_tgsigqueueinfo',
  'pidfd_send_signal',
  'modify_ldt',
]

/** Runs a script of Perl with the seccomp filter, and sees all files of the machine. */
const runFiltered = (args: readonly string[]) =>
  withFilterFile(createFilter()!, tmpdir(), descriptor =>
    spawnSync('bwrap', ['--dev-bind', '/', '/', '--seccomp', '5', PERL, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit', 'ignore', 'ignore', descriptor],
    }),
  )

test.runIf(hasWall && isThere(PERL))(
  'native code: it locks no file of the host, takes no lease, and allocates no memory that counts for no process',
  () => {
    const script = fileURLToPath(new URL('wall/native.pl', import.meta.url))
    const directory = mkdtempSync(join(tmpdir(), 'wall-'))
    const file = join(directory, 'file')
    writeFileSync(file, 'text')
    const { mmap, denied } = SYSCALLS[process.arch]!
    const args = [script, file, directory, ...[mmap, denied.io_setup, denied.flock].map(String)]
    const without = spawnSync(PERL, args, { encoding: 'utf8' })
    expect(without.stdout.split('\n').filter(Boolean)).toHaveLength(9)
    expect(runFiltered(args)).toMatchObject({ status: 0, stdout: '' })
    rmSync(directory, { recursive: true })
  },
)

test.runIf(hasWall && isRoot && isThere(PERL))(
  'native code: the kernel runs every denied system call without the filter, and none with it',
  () => {
    const script = fileURLToPath(new URL('wall/syscalls.pl', import.meta.url))
    const { denied } = SYSCALLS[process.arch]!
    const names = Object.keys(denied).filter(name => !UNTRIED.includes(name))
    const args = [script, ...names.map(name => `${name}=${denied[name]}`)]
    const list = (output: string): string[] => output.split('\n').filter(Boolean)
    const without = spawnSync(PERL, args, { encoding: 'utf8' })
    expect(without.status).toBe(0)
    const within = runFiltered(args)
    expect(list(without.stdout)).toEqual([])
    expect(list(within.stdout)).toEqual(names)
  },
)
