// Bubblewrap: a process in namespaces of its own. It sees Node, its modules and nothing else, and has no network and no other processes.
import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkOptions } from '@sallyport/protocol/internal/errors'
import { getNodeEnvironment, getNodeProgram } from './node-program.js'
import {
  CHECKS,
  FILTER_DESCRIPTOR,
  type Launcher,
  type LaunchInfo,
  toKernelWall,
  type Trial,
  tryNode,
  unavailable,
} from './launcher.js'
import { findProgram, getNodeFiles, INPUT_DESCRIPTOR, launchInShell } from './programs.js'
import { createFilter } from './seccomp.js'

/** Options of `bubblewrap`. */
export interface BubblewrapOptions {
  /**
   * Limits the CPU cores of the process: the kernel pauses it for the rest of each 100 ms. Ignored where the host may not make a
   * cgroup.
   */
  readonly cpus?: number
  /** Id of the user and group of the process: only for a host that runs as root. By default those of the host. */
  readonly uid?: number
  /** Path of the program. By default `bwrap` in `PATH`. */
  readonly bwrap?: string
}

export const NAME = 'bubblewrap'
const MIB: number = 2 ** 20
/** bwrap stays as two processes, which wait for the third. */
export const OWN_PROCESSES = 2

const INSTALL = 'Install bubblewrap 0.8 or later (apt-get install bubblewrap), or pass its path as "bwrap"'
const ALLOW_NAMESPACES =
  'Allow user namespaces: in a container with --security-opt seccomp=unconfined, on Ubuntu with an AppArmor profile for bwrap, ' +
  'elsewhere with sysctl user.max_user_namespaces'

/**
 * Starts processes with [bubblewrap](https://github.com/containers/bubblewrap) (Linux) and a seccomp filter.
 *
 * @throws {LauncherUnavailable} if bubblewrap is missing, or cannot start Node on this machine
 * @throws {BusError} InvalidParams for an invalid option
 */
export async function bubblewrap(options: BubblewrapOptions = {}): Promise<Launcher> {
  checkOptions(NAME, options, { cpus: CHECKS.cpus, uid: CHECKS.uid, bwrap: CHECKS.program })
  const { cpus, uid, bwrap: program } = options
  const command = [...getUserCommand(uid), findBwrap(program)]
  const getFilter = (net: boolean, files: boolean) => createFilter({ net, files, signals: true })
  const files = getNodeFiles()
  const input = createUsers(uid)
  const createCommand = (info: LaunchInfo, hasProc: boolean): string[] => [
    ...command,
    ...getNamespaceArgs(info.net),
    ...Object.entries(getNodeEnvironment(info.reads)).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--seccomp', String(FILTER_DESCRIPTOR)],
    // Before the files, of which some can be below it.
    ...(info.limits.tmp === undefined ? ['--dir', '/tmp'] : ['--size', toBytes(info.limits.tmp), '--tmpfs', '/tmp']),
    ...getFileArgs(files, info.net),
    ...(hasProc ? getProcArgs() : []),
    ...getMountArgs(info),
    // Its root is a writable file system in memory.
    ...['--chdir', '/tmp', '--remount-ro', '/', '--'],
  ]
  const hasProc = await probe(hasProc => {
    const node = [...createCommand(PROBED, hasProc), getNodeProgram(), '--version']
    return { ...launchInShell({ writesFiles: false, input }, node), filter: getFilter(false, false) }
  })
  return toKernelWall({
    name: NAME,
    closesNetwork: true,
    holds: ['tmp'],
    bindsWrites: true,
    launch(node, nodeArgs, info) {
      const { memory, pids, tmp } = info.limits
      const shell = {
        ...{ limits: { memory, cpus, pids }, limitsNode: true, processes: OWN_PROCESSES, input },
        writesFiles: tmp !== undefined || info.writes.length > 0,
      }
      return {
        ...launchInShell(shell, [...createCommand(info, hasProc), node, ...nodeArgs]),
        filter: getFilter(info.net, info.writes.length > 0),
      }
    },
  })
}

const PROBED: LaunchInfo = {
  ...{ reads: { directories: [], files: [] }, writes: [] },
  ...{ descriptors: [], net: false, limits: {}, program: { entry: '', node: process.version } },
}

/** @throws {LauncherUnavailable} */
export function findBwrap(program = 'bwrap'): string {
  if (process.platform !== 'linux') throw unavailable(NAME, `${process.platform} is not supported`, 'Use it on Linux')
  const bwrap = findProgram(program)
  if (bwrap === undefined) throw unavailable(NAME, `${program} was not found`, INSTALL)
  if (!createFilter()) throw unavailable(NAME, `${process.arch} is not supported`, 'Use it on x64 or arm64')
  return bwrap
}

export const toBytes = (mebibytes: number): string => String(Math.ceil(mebibytes * MIB))

function getUserCommand(uid: number | undefined): string[] {
  if (uid === undefined) return []
  const setpriv = findProgram('setpriv')
  if (setpriv === undefined) throw unavailable(NAME, 'setpriv was not found', 'Install util-linux, or omit "uid"')
  if (process.getuid!() !== 0) throw unavailable(NAME, 'only root can change the user', 'Omit "uid"')
  return [setpriv, `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--']
}

/** Returns the content of `/etc/passwd`: Node throws if it asks for a home directory or the user, and finds none. */
export const createUsers = (uid: number | undefined, name = 'frontend', home = '/nonexistent'): string =>
  `${name}:x:${uid ?? process.geteuid!()}:${uid ?? process.getegid!()}::${home}:/bin/false`

export const getNamespaceArgs = (net: boolean, host = 'frontend'): string[] => [
  ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
  ...(net ? [] : ['--unshare-net']),
  ...['--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--hostname', host, '--clearenv'],
]

/** Not `zero`: a shared mapping of it is memory that counts for no process. */
export const DEVICES: readonly string[] = ['null', 'random', 'urandom'].map(name => `/dev/${name}`)
/** The library that older C libraries load to read `/etc/passwd`. */
const FILES_LIBRARY = 'libnss_files.so.2'
/** Files that resolve names and verify certificates. */
const NET_FILES = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/ssl', '/etc/pki/tls']
/** Libraries that the C library loads when it resolves names. */
const NET_LIBRARIES = ['libnss_dns.so.2', 'libresolv.so.2']

function getFileArgs(nodeFiles: readonly string[], net: boolean): string[] {
  const c = nodeFiles.find(path => /\/libc\.so[^/]*$/.test(path))
  const getLibraries = (names: readonly string[]): string[] =>
    c === undefined ? [] : names.map(name => join(dirname(c), name))
  const optional = [...getLibraries([FILES_LIBRARY]), ...(net ? [...NET_FILES, ...getLibraries(NET_LIBRARIES)] : [])]
  return [
    ...getRootLinks(),
    ...nodeFiles.flatMap(path => ['--ro-bind', path, path]),
    ...optional.flatMap(path => ['--ro-bind-try', path, path]),
    ...['--ro-bind-data', String(INPUT_DESCRIPTOR), '/etc/passwd'],
    ...DEVICES.flatMap(path => ['--dev-bind', path, path]),
  ]
}

function getMountArgs({ reads, writes }: Pick<LaunchInfo, 'reads' | 'writes'>): string[] {
  const paths = [...new Set([...reads.directories, ...reads.files, ...writes])]
  // Outer directories first: a later mount hides what it contains.
  return paths
    .toSorted((a, b) => a.length - b.length)
    .flatMap(path => (writes.includes(path) ? ['--bind', path, path] : showPath(path)))
}

/** A linked directory stays a link: relative links in it would lead elsewhere. What it names is granted, too. */
function showPath(path: string): string[] {
  try {
    const real = realpathSync(path)
    if (real !== path && statSync(real).isDirectory()) return ['--symlink', real, path]
  } catch {
    // It is missing.
  }
  return ['--ro-bind-try', path, path]
}

/** Parts of /proc that belong to the machine. The kernel lets user 0 write to some of them even in a namespace without capabilities. */
const MACHINE_PARTS = [
  'sys irq bus fs driver scsi acpi asound tty sysvipc pressure dynamic_debug sysrq-trigger kcore keys key-users',
  'timer_list sched_debug latency_stats interrupts mtrr cmdline bootconfig config.gz partitions diskstats swaps',
  'locks ioports buddyinfo zoneinfo kmsg kallsyms kpagecount kpageflags kpagecgroup slabinfo vmallocinfo',
  'modules iomem',
]
  .flatMap(names => names.split(' '))
  .map(name => `/proc/${name}`)

export function getProcArgs(): string[] {
  const parts = MACHINE_PARTS.flatMap(path => {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (!stats) return []
    return stats.isDirectory() ? ['--tmpfs', path, '--remount-ro', path] : ['--ro-bind', '/dev/null', path]
  })
  return ['--proc', '/proc', ...parts]
}

/** On most systems these are links, and programs name their loader with them. */
const getRootLinks = (): string[] =>
  ['/lib', '/lib64', '/bin']
    .filter(path => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
    .flatMap(path => ['--symlink', readlinkSync(path), path])

/** Starts Node in the wall. Returns whether /proc can be mounted, which some containers refuse. @throws {LauncherUnavailable} */
export async function probe(createTrial: (hasProc: boolean) => Trial): Promise<boolean> {
  const failure = await tryNode(createTrial(true))
  if (failure === undefined) return true
  if ((await tryNode(createTrial(false))) === undefined) return false
  const isRefused = /namespace|No space left|not permitted|Permission denied/i.test(failure)
  throw unavailable(NAME, `Node could not be started in it: ${failure}`, isRefused ? ALLOW_NAMESPACES : INSTALL)
}
