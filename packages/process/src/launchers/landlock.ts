// Landlock and seccomp by `setpriv` alone. It needs no namespaces, so it also works in a container with Docker's defaults. The process
// is Node itself: it sees the names of files and processes, but reads only what it is granted.
import { existsSync } from 'node:fs'
import { checkOptions } from '@sallyport/protocol/internal/errors'
import { getNodeProgram } from './node-program.js'
import { CHECKS, FILTER_DESCRIPTOR, type Launcher, toKernelWall, tryCommand, tryNode, unavailable } from './launcher.js'
import { findProgram, getNodeFiles, launchInShell } from './programs.js'
import { createFilter } from './seccomp.js'

/** Options of `landlock`. */
export interface LandlockOptions {
  /** Limits the CPU cores of the process. Ignored where the host may not make a cgroup. */
  readonly cpus?: number
  /** Path of the program. By default `setpriv` in `PATH`. */
  readonly setpriv?: string
}

const NAME = 'landlock'
const INSTALL = 'Install util-linux 2.41 or later, or use bubblewrap'

/**
 * Starts processes with [Landlock](https://landlock.io) (Linux 5.13) by `setpriv` of util-linux 2.41, and a seccomp filter.
 *
 * @throws {LauncherUnavailable} if `setpriv` or the kernel has no Landlock
 * @throws {BusError} InvalidParams for an invalid option
 */
export async function landlock(options: LandlockOptions = {}): Promise<Launcher> {
  checkOptions(NAME, options, { cpus: CHECKS.cpus, setpriv: CHECKS.program })
  const { cpus, setpriv: program = 'setpriv' } = options
  if (process.platform !== 'linux') throw unavailable(NAME, `${process.platform} is not supported`, 'Use it on Linux')
  const setpriv = findProgram(program)
  if (setpriv === undefined) throw unavailable(NAME, `${program} was not found`, INSTALL)
  const filters = [false, true].map(net => createFilter({ net }))
  if (!filters[0]) throw unavailable(NAME, `${process.arch} is not supported`, 'Use it on x64 or arm64')
  const fixed = [
    ...['--no-new-privs', '--pdeathsig=KILL', '--landlock-access', 'fs'],
    ...(process.getuid!() === 0 ? ['--inh-caps=-all', '--bounding-set=-all'] : []),
    ...getNodeFiles().flatMap(path => createRule('read-file,execute', path)),
    // A file that exists and is denied ends Node when it starts.
    ...['/etc/ld.so.cache', ...OPENSSL_FILES].flatMap(path => createRule('read-file', path)),
    ...['/dev/null', '/dev/random', '/dev/urandom'].flatMap(path => createRule('read-file,write-file', path)),
  ]
  await probe(setpriv, fixed, filters[0])
  return toKernelWall({
    name: NAME,
    closesNetwork: true,
    launch(node, nodeArgs, { reads, net, limits }) {
      const { memory, pids } = limits
      const shell = { limits: { memory, cpus, pids }, limitsNode: true, writesFiles: false }
      const rules = [
        ...reads.directories.flatMap(path => createRule('read-file,read-dir', path)),
        ...reads.files.flatMap(path => createRule('read-file', path)),
        ...(net ? NET_FILES : []).flatMap(path => createRule('read-file', path)),
        ...(net ? NET_DIRECTORIES : []).flatMap(path => createRule('read-file,read-dir', path)),
      ]
      const command = [setpriv, ...fixed, ...rules, ...FILTER, '--', node, ...nodeArgs]
      return { ...launchInShell(shell, command), filter: filters[Number(net)] }
    },
  })
}

/** Where builds of Node look for settings of OpenSSL. */
const OPENSSL_FILES = ['/etc/ssl/openssl.cnf', '/usr/lib/ssl/openssl.cnf', '/usr/local/ssl/openssl.cnf']
const FILTER = ['--seccomp-filter', `/proc/self/fd/${FILTER_DESCRIPTOR}`]
const NET_FILES = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf']
const NET_DIRECTORIES = ['/etc/ssl', '/etc/pki/tls', '/usr/lib', '/lib']

const createRule = (access: string, path: string): string[] =>
  existsSync(path) ? ['--landlock-rule', `path-beneath:${access}:${path}`] : []

/** Starts Node with the rules and the filter, and verifies that they hold. @throws {LauncherUnavailable} */
async function probe(setpriv: string, args: readonly string[], filter: Uint8Array): Promise<void> {
  const help = await tryCommand({ command: setpriv, args: ['--help'] })
  const isOld = !['--landlock-access', '--seccomp-filter'].every(option => help.stdout.includes(option))
  if (isOld) throw unavailable(NAME, 'setpriv has no --landlock-access or no --seccomp-filter', INSTALL)
  // With `--version`, Node does not start V8 and OpenSSL.
  const version = [...args, ...FILTER, '--', getNodeProgram(), '-p', 'process.version']
  const failure = await tryNode({ command: setpriv, args: version, filter })
  const text = `Node could not be started in it: ${failure}`
  if (failure !== undefined) throw unavailable(NAME, text, 'Use a kernel with Landlock, or bubblewrap')
}
