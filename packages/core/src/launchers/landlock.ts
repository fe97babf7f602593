// Landlock and seccomp by `setpriv` alone. It needs no namespaces, so it also works in a container with Docker's defaults. The process
// is Node itself: it sees the names of files and processes, but reads only what it is granted.
import type { StdioOptions } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createCgroup } from './cgroup.js'
import { checkOptions } from './check-options.js'
import { withFilterFile } from './filter-file.js'
import { FILTER_DESCRIPTOR, type Launcher, LauncherUnavailable, type LaunchLimits, mergeLimits } from './launcher.js'
import { findProgram, getNodeFiles, getShellArgs } from './programs.js'
import { createFilter } from './seccomp.js'

/** Options of `landlock`. `memory` and `pids` of the sandbox take precedence. */
export interface LandlockOptions extends Omit<LaunchLimits, 'tmp'> {
  /** CPU cores that the process gets at most. Ignored where the host may not make a cgroup. */
  readonly cpus?: number
  /** Path of the program. By default `setpriv` in `PATH`. */
  readonly setpriv?: string
}

const NAME = 'landlock'
const PROBE_TIMEOUT_MS = 10_000
const INSTALL = 'Install util-linux 2.41 or later, or use bubblewrap'

/**
 * Starts processes with [Landlock](https://landlock.io) (Linux 5.13) by `setpriv` of util-linux 2.41, and a seccomp filter.
 *
 * @throws {LauncherUnavailable} if `setpriv` or the kernel has no Landlock
 * @throws {BusError} InvalidParams for an invalid option
 */
export function landlock(options: LandlockOptions = {}): Launcher {
  checkOptions(NAME, options, ['memory', 'cpus', 'pids', 'setpriv'])
  const { cpus, setpriv: program = 'setpriv', ...defaults } = options
  if (process.platform !== 'linux') throw createError(`${process.platform} is not supported`, 'Use it on Linux')
  const setpriv = findProgram(program)
  if (setpriv === undefined) throw createError(`${program} was not found`, INSTALL)
  const filters = [false, true].map(net => createFilter({ net }))
  if (!filters[0]) throw createError(`${process.arch} is not supported`, 'Use it on x64 or arm64')
  const fixed = [
    ...['--no-new-privs', '--pdeathsig=KILL', '--landlock-access', 'fs'],
    ...(process.getuid!() === 0 ? ['--inh-caps=-all', '--bounding-set=-all'] : []),
    ...getNodeFiles().flatMap(path => createRule('read-file,execute', path)),
    ...createRule('read-file', '/etc/ld.so.cache'),
    ...['/dev/null', '/dev/zero', '/dev/random', '/dev/urandom'].flatMap(path =>
      createRule('read-file,write-file', path),
    ),
  ]
  probe(setpriv, fixed, filters[0])
  return {
    name: NAME,
    closesNetwork: true,
    launch(node, nodeArgs, { reads, net, limits }) {
      const merged = mergeLimits(defaults, limits)
      const { memory, pids } = merged
      const cgroup = createCgroup({ memory, cpus, pids })
      const shell = { joins: cgroup?.joins ?? [], memory: cgroup ? undefined : memory, writesFiles: false }
      const rules = [
        ...reads.directories.flatMap(path => createRule('read-file,read-dir', path)),
        ...reads.files.flatMap(path => createRule('read-file', path)),
        ...(net ? NET_FILES : []).flatMap(path => createRule('read-file', path)),
        ...(net ? NET_DIRECTORIES : []).flatMap(path => createRule('read-file,read-dir', path)),
      ]
      const args = [...fixed, ...rules, ...FILTER, '--', node, ...nodeArgs]
      return {
        command: '/bin/sh',
        args: getShellArgs(shell, setpriv, args),
        filter: filters[Number(net)],
        cgroups: cgroup?.directories,
        limits: merged,
        endsWithParent: true,
        lowersPriority: true,
      }
    },
  }
}

const FILTER = ['--seccomp-filter', `/proc/self/fd/${FILTER_DESCRIPTOR}`]
const NET_FILES = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf']
const NET_DIRECTORIES = ['/etc/ssl', '/etc/pki/tls', '/usr/lib', '/lib']

const createError = (cause: string, remedy: string): LauncherUnavailable =>
  new LauncherUnavailable(`${NAME} is not available: ${cause}. ${remedy}`)

const createRule = (access: string, path: string): string[] =>
  existsSync(path) ? ['--landlock-rule', `path-beneath:${access}:${path}`] : []

/** Starts Node with the rules and the filter, and verifies that they hold. @throws {LauncherUnavailable} */
function probe(setpriv: string, args: readonly string[], filter: Uint8Array): void {
  // Most hosts start no process: they need not load the module.
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const run = (more: readonly string[], descriptor: number | 'ignore' = 'ignore') => {
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'ignore', 'ignore', descriptor]
    return spawnSync(setpriv, more, { encoding: 'utf8', env: {}, cwd: '/', timeout: PROBE_TIMEOUT_MS, stdio })
  }
  const help = run(['--help'])
  const isOld = !['--landlock-access', '--seccomp-filter'].every(option => help.stdout?.includes(option))
  if (isOld) throw createError('setpriv has no --landlock-access or no --seccomp-filter', INSTALL)
  const { status, stdout, stderr, error } = withFilterFile(filter, tmpdir(), descriptor =>
    run([...args, ...FILTER, '--', process.execPath, '--version'], descriptor),
  )
  if (status === 0 && stdout.trim() === process.version) return
  const failure = error?.message ?? (stderr.trim() || `exit code ${status}`)
  throw createError(
    `Node could not be started in it: ${failure.slice(0, 500)}`,
    'Use a kernel with Landlock, or bubblewrap',
  )
}
