// What a program in the wall sees of the host: the system's programs and libraries, its own file, and the paths that were listed for it.
import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { BusError } from '@sallyport/protocol/internal/errors'
import { isWithin } from '../permission-model/grants.js'
import { KERNEL_DIRECTORIES } from '../permission-model/write-grants.js'
import { getNodeFiles } from '../launchers/programs.js'

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
/** Files that resolve names. */
const NET_SETTINGS = ['/etc/resolv.conf', '/etc/hosts', '/etc/host.conf', '/etc/gai.conf']

/** Returns arguments of bwrap for what each program sees. */
export function getSystemArgs(program: string, net: boolean): string[] {
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
export function getListedArgs({ read, write }: ListedPaths): string[] {
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

/** Returns the directories of `PATH` in the wall. */
export const getSearchPath = (): string =>
  [...new Set([dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'])].join(':')
