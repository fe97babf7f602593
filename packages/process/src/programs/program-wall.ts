// The wall around a program of any kind, in any language: namespaces by bubblewrap, and the seccomp filter for programs.
import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { BusError } from '@sallyport/protocol/internal/errors'
import { loadOnce } from '@sallyport/protocol/internal/util'
import { FILTER_DESCRIPTOR, type Launch, unavailable } from '../launchers/launcher.js'
import {
  createUsers,
  DEVICES,
  findBwrap,
  getNamespaceArgs,
  getProcArgs,
  NAME,
  OWN_PROCESSES,
  probe,
  toBytes,
} from '../launchers/bubblewrap.js'
import { getNodeProgram } from '../launchers/node-program.js'
import { findProgram, getNodeFiles, INPUT_DESCRIPTOR, launchInShell } from '../launchers/programs.js'
import { createFilter } from '../launchers/seccomp.js'
import { isWithin, KERNEL_DIRECTORIES } from '../permission-model/grants.js'
import { getProxiedCommand } from './program-proxy.js'

// bwrap reads and closes both. The program inherits nothing else: by an open device of the host it could change the mode of that device.
const PROGRAM_FILTER = 3
/** The file with bwrap's options: other users of the machine can read arguments, and these include variables. */
const OPTIONS_DESCRIPTOR = 4

export interface WalledProgram extends ListedPaths {
  readonly command: string
  readonly args: readonly string[]
  /** `proxy` is a network of its own with a proxy at `PROXY_PORT`. */
  readonly net: boolean | 'proxy'
  readonly env: Readonly<Record<string, string>>
  readonly home: string | undefined
  readonly cwd: string | undefined
  readonly memory: number | undefined
  readonly pids: number | undefined
  readonly tmp: number
}

/** What to start, with the contents of two files: `filter` at descriptor 3, and `options` at descriptor 4. */
export interface WalledLaunch extends Launch {
  readonly options: Uint8Array
}

export interface ProgramWall {
  /** @throws {BusError} InvalidParams for a path that cannot be listed */
  launch(program: WalledProgram): WalledLaunch
}

/** Tries bubblewrap once. @throws {LauncherUnavailable} */
export const findProgramWall: () => Promise<ProgramWall> = loadOnce(createProgramWall)

async function createProgramWall(): Promise<ProgramWall> {
  const bwrap = findBwrap()
  const createProgramFilter = (net: boolean | 'own') => createFilter({ net, programs: true })
  const filters = {
    none: createProgramFilter(false),
    proxy: createProgramFilter('own'),
    host: createProgramFilter(true),
  }
  const command = [...getDeviceCommand(), bwrap]
  const getOptions = (program: WalledProgram, hasProc: boolean, filter: number): string[] => [
    ...getNamespaceArgs(program.net === true, 'program'),
    ...['--seccomp', String(filter), '--size', toBytes(program.tmp), '--tmpfs', '/tmp'],
    ...getSystemArgs(program.command, program.net === true),
    ...['--ro-bind-data', String(INPUT_DESCRIPTOR), '/etc/passwd'],
    ...DEVICES.flatMap(path => ['--dev-bind', path, path]),
    // The first process is bwrap's own. Whoever could write to its memory could outlive the host.
    ...(hasProc ? [...getProcArgs(), '--tmpfs', '/proc/1', '--remount-ro', '/proc/1'] : []),
    ...getListedArgs({ ...program, write: [...program.write, ...(program.home === undefined ? [] : [program.home])] }),
    ...Object.entries(program.env).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--chdir', program.cwd ?? program.home ?? '/tmp', '--remount-ro', '/'],
  ]
  const hasProc = await probe(proc => {
    const node = [...command, ...getOptions(PROBED, proc, FILTER_DESCRIPTOR), '--', getNodeProgram(), '--version']
    return { ...launchInShell({ writesFiles: true, input: createUsers(undefined) }, node), filter: filters.none }
  })
  return {
    launch(program) {
      const { args, net, memory, pids, home = '/tmp' } = program
      const options = getOptions(program, hasProc, PROGRAM_FILTER)
      const input = createUsers(undefined, 'program', home)
      const shell = { limits: { memory, pids }, processes: OWN_PROCESSES, writesFiles: true, input }
      const started = net === 'proxy' ? getProxiedCommand([program.command, ...args]) : [program.command, ...args]
      return {
        ...launchInShell(shell, [...command, '--args', String(OPTIONS_DESCRIPTOR), '--', ...started]),
        filter: net === true ? filters.host : filters[net === 'proxy' ? 'proxy' : 'none'],
        options: Buffer.from(options.map(option => `${option}\0`).join('')),
      }
    },
  }
}

const PROBED: WalledProgram = {
  ...{ command: process.execPath, args: [], read: [], write: [], net: false, env: {}, tmp: 1 },
  ...{ home: undefined, cwd: undefined, memory: undefined, pids: undefined },
}

/**
 * The devices belong to root, so a program of a host that runs as root could change their modes for the whole machine. bwrap cannot mount a
 * device read-only, which still lets programs write to it, and takes over a mount that is.
 */
function getDeviceCommand(): string[] {
  if (process.geteuid!() !== 0) return []
  const [unshare, mount] = ['unshare', 'mount'].map(name => findProgram(name))
  if (unshare === undefined || mount === undefined) {
    throw unavailable(
      NAME,
      'unshare and mount were not found',
      'Install util-linux, or run the host as an ordinary user',
    )
  }
  const options = 'remount,bind,ro,nosuid,noexec'
  const steps = DEVICES.flatMap(path => [`${mount} --bind ${path} ${path}`, `${mount} -o ${options} ${path}`])
  const shell = ['/bin/sh', '-c', [...steps, 'exec "$@"'].join(' && '), 'sallyport']
  return [unshare, '--user', '--map-root-user', '--mount', '--propagation', 'private', '--', ...shell]
}

/** Programs, libraries and their data, of every user of the machine. Not `/usr/local/etc`, `/usr/src` and the like. */
const SYSTEM = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'libexec', 'share'].map(name => `/usr/${name}`)
const LOCAL = ['bin', 'lib', 'libexec'].map(name => `/usr/local/${name}`)
/** Links to directories in `/usr` on most systems. */
const ROOT = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']
/** Settings of the system's libraries that hold no secret. Not `/etc/ssl`, which has private keys. */
const SETTINGS = [
  ...['ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'alternatives', 'localtime', 'mime.types', 'protocols', 'services'],
  ...['nsswitch.conf', 'ca-certificates.conf', 'ssl/certs', 'ssl/openssl.cnf', 'pki/tls/certs', 'pki/ca-trust'],
].map(name => `/etc/${name}`)
const NET_SETTINGS = ['/etc/resolv.conf', '/etc/hosts', '/etc/host.conf', '/etc/gai.conf']

function getSystemArgs(program: string, net: boolean): string[] {
  const system = [...SYSTEM, ...LOCAL, ...SETTINGS, ...(net ? NET_SETTINGS : [])]
  const links = ROOT.flatMap(path => {
    const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()
    return isLink ? ['--symlink', readlinkSync(path), path] : ['--ro-bind-try', path, path]
  })
  const isHidden = (path: string): boolean => !isWithin([...SYSTEM, ...LOCAL, ...ROOT], path)
  const files = [...getNodeFiles(), ...getProgramFiles(program)].filter(isHidden)
  return [
    ...links,
    ...system.flatMap(path => ['--ro-bind-try', path, path]),
    ...[...new Set(files)].flatMap(path => showPath(path, '--ro-bind')),
  ]
}

/** The program, and npm if it is one of its commands. */
function getProgramFiles(program: string): string[] {
  const real = realpathSync(program)
  const npm = /^.*\/node_modules\/npm(?=\/)/.exec(real)?.[0]
  return npm === undefined ? [program] : [program, npm]
}

export interface ListedPaths {
  readonly read: readonly string[]
  readonly write: readonly string[]
}

/** Returns arguments of bwrap for the paths that were listed for a program. @throws {BusError} InvalidParams */
function getListedArgs({ read, write }: ListedPaths): string[] {
  const listed = [
    ...read.map(path => ({ path: checkPath('read', path), option: '--ro-bind' })),
    ...write.map(path => ({ path: checkPath('write', path), option: '--bind' })),
  ]
  // Outer directories first: a later mount hides what it contains. Of the same path the right to write is last.
  return listed.toSorted((a, b) => a.path.length - b.path.length).flatMap(({ path, option }) => showPath(path, option))
}

/** A link stays a link to the path that is mounted. */
function showPath(path: string, option: string): string[] {
  const real = realpathSync(path)
  return [option, real, real, ...(real === path || isLinkedBelow(path, real) ? [] : ['--symlink', real, path])]
}

/** Returns true if the path leads to the same file in the wall already, by a link of a directory: `/lib/x` is `/usr/lib/x`. */
const isLinkedBelow = (path: string, real: string): boolean =>
  ROOT.some(root => isWithin([root], path) && realpathSync(root) !== root && isWithin([realpathSync(root)], real))

function checkPath(option: string, path: unknown): string {
  const wrong = (text: string): BusError => new BusError('InvalidParams', `startProgram: ${option}: ${text}`)
  if (typeof path !== 'string' || !isAbsolute(path) || path.includes('\0')) {
    throw wrong(`must be absolute paths: got ${JSON.stringify(path)}`)
  }
  const normal = resolve(path)
  let real: string
  try {
    real = realpathSync(normal)
  } catch (cause) {
    throw new BusError('InvalidParams', `startProgram: ${option}: ${JSON.stringify(path)} cannot be read`, { cause })
  }
  if (real === '/' || isWithin(KERNEL_DIRECTORIES, real)) {
    throw wrong(`${JSON.stringify(path)} would let the program leave its wall. List what it needs`)
  }
  const stats = statSync(real)
  if (!stats.isFile() && !stats.isDirectory()) {
    throw wrong(`${JSON.stringify(path)} must be a file or a directory`)
  }
  return normal
}

export const getSearchPath = (): string =>
  [...new Set([dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'])].join(':')
