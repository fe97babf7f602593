// A launcher decides which command really starts the process of a frontend, such as a container around Node: what it is, the check of its
// options, the attempt to start Node by it on this machine, and the file of its seccomp filter.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BusError, type OptionCheck } from '@sallyport/protocol/internal/errors'
import { closeOnceRead } from '@sallyport/protocol/internal/link'
import { isCount, isTexts, toPlainText } from '@sallyport/protocol/internal/util'
import { getNodeEnvironment } from './node-program.js'

/** Starts the process of a frontend in a wall: in a container, or with fewer rights. */
export interface Launcher {
  /** Name in `bus.frontends()`, `bus.stats()`, the inspector and the log. */
  readonly name: string
  /** True if a process has no network unless `info.net` is true. @default false */
  readonly closesNetwork?: boolean
  /** Limits of `info.limits` that it enforces itself. Sallyport checks the others, on Linux, and refuses `tmp`. @default [] */
  readonly holds?: readonly (keyof LaunchLimits)[]
  /**
   * True if a daemon or another machine has the process, which is then no descendant of the command. Then each launch needs `stop`, and limits that
   * the launcher does not hold are refused.
   *
   * @default false
   */
  readonly isElsewhere?: boolean
  /**
   * True if a process can change the directories `info.writes`, and no others. Without it, the option `write` is refused; elsewhere also `read`
   * and scripts, because no file of this machine is there.
   *
   * @default false
   */
  readonly bindsWrites?: boolean
  /**
   * Returns what to start in the place of `command` and `args`. It is called in the host before each start.
   *
   * @throws what rejects the start, such as a `LauncherUnavailable`
   */
  launch(command: string, args: readonly string[], info: LaunchInfo): Launch
}

/** Those in whose walls the kernel decides about each file, whatever link leads to it. */
export const kernelWalls: WeakSet<Launcher> = new WeakSet()

export function toKernelWall(launcher: Launcher): Launcher {
  kernelWalls.add(launcher)
  return launcher
}

/** The process that a launcher starts. */
export interface LaunchInfo {
  /** Files and directories that the process must be able to read: its modules, Sallyport's packages, and `read` of its sandbox. */
  readonly reads: { readonly directories: readonly string[]; readonly files: readonly string[] }
  /** Directories that the process can change, as real paths: `write` of its sandbox. */
  readonly writes: readonly string[]
  /** Descriptors of sockets that the process can inherit, in addition to standard input, output and error: calls are faster if it does. */
  readonly descriptors: readonly number[]
  /** True if the process may use the network. */
  readonly net: boolean
  /** Limits of its sandbox. */
  readonly limits: LaunchLimits
  /** The last of `args`, which is the file of its program, and the version of Node.js whose flags the others are: `v24.1.0`. */
  readonly program: { readonly entry: string; readonly node: string }
}

/** Limits that a launcher enforces as far as it can. On Linux, Sallyport checks all but `tmp` ten times a second. */
export interface LaunchLimits {
  /** Resident memory in MiB. */
  readonly memory?: number | undefined
  /** Share of one CPU core. */
  readonly cpu?: number | undefined
  /** Number of processes and threads. */
  readonly pids?: number | undefined
  /** MiB of files in `/tmp`. */
  readonly tmp?: number | undefined
}

/** The command to start. Its environment has only `env` and the time zone, so `command` needs an absolute path. */
export interface Launch {
  /** Absolute path of a program. */
  readonly command: string
  /** Its arguments. */
  readonly args: readonly string[]
  /** Content of a file that is open for reading at descriptor 5: a seccomp filter. */
  readonly filter?: Uint8Array | undefined
  /** Directories of the process's cgroups. They are removed after its exit. */
  readonly cgroups?: readonly string[] | undefined
  /** Number of processes that the launcher itself adds. They do not count as `pids`. @default 0 */
  readonly processes?: number
  /** True if the kernel kills the process when the thread that has started it ends. Otherwise another process waits for that. */
  readonly endsWithParent?: boolean
  /** True if the command lowers its priority itself. Otherwise Sallyport does, right after the start. */
  readonly lowersPriority?: boolean
  /** Environment variables of `command`, and of `stop`, with names of letters, digits and `_`. @default {} */
  readonly env?: Readonly<Record<string, string>> | undefined
  /**
   * Ends the process where the end of `command` does not: `docker rm`. It runs after each end of `command`, and if the host is killed, up to
   * three times, so it exits with 0 also if nothing is left. The log warns if it fails, or takes more than 5 s; after 60 s it is killed. On
   * Windows it runs once, unwatched. A launcher with `isElsewhere` must return it.
   */
  readonly stop?: { readonly command: string; readonly args: readonly string[] } | undefined
}

/** Added to the `nice` value of the host. While all cores are busy, a process at 0 gets three times the CPU time of a process at 5. */
export const NICENESS = 5

/** Descriptor of the file with `Launch.filter`. */
export const FILTER_DESCRIPTOR = 5

/** A launcher cannot hold a process on this machine. Its message has the remedy. Its `reason` is `InvalidParams`. */
export class LauncherUnavailable extends BusError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('InvalidParams', message, { ...options, code: 'WALL_UNAVAILABLE' })
  }
}

/** @param cause - a clause, to which a program that says it may have given a full stop of its own */
export const unavailable = (name: string, cause: string, remedy: string): LauncherUnavailable =>
  new LauncherUnavailable(`${name} is not available: ${/[.?!]$/.test(cause) ? cause : `${cause}.`} ${remedy}`)

export const isNumberFrom = (value: unknown, min: number): boolean => Number.isFinite(value) && (value as number) >= min
export const areArguments = (list: unknown): boolean => isTexts(list) && !list.some(each => each.includes('\0'))

/** Checks of the options of launchers. */
export const CHECKS: Readonly<Record<'cpus' | 'uid' | 'program' | 'inside' | 'image' | 'args', OptionCheck>> = {
  // The kernel takes no shorter time than 1 of 100 ms.
  cpus: [value => isNumberFrom(value, 0.01), 'a number of CPU cores, from 0.01'],
  uid: [value => isCount(value), 'the number of a user'],
  program: [value => typeof value === 'string' && value !== '', 'the path of a program'],
  inside: [
    value => typeof (Object(value) as Partial<Launcher>).launch === 'function',
    'a launcher, such as await bubblewrap()',
  ],
  image: [value => typeof value === 'string' && /^[^-\s\0][^\s\0]*$/.test(value), 'the name of an image'],
  args: [areArguments, 'an array of strings'],
}

const TIMEOUT_MS = 10_000
/** Of what a trial prints, in characters. Help and versions are shorter. */
const MAX_TEXT = 65_536

/** A command that a launcher tries. Without `env`, in the environment of Node. */
export type Trial = Pick<Launch, 'command' | 'args' | 'filter' | 'env'> & { readonly timeout?: number }

/** What a process or the machine lacks at the moment: it says nothing of a launcher. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'])

/** @throws an error of the system if the process cannot be started for a lack of descriptors, processes or memory */
export async function tryCommand({
  command,
  args,
  filter,
  env = getNodeEnvironment(),
  timeout = TIMEOUT_MS,
}: Trial): Promise<{ status: number | null; stdout: string; failure: string }> {
  // Most hosts start no process: they need not load the module.
  const { spawn } = process.getBuiltinModule('node:child_process')
  const child = withFilterFile(filter, tmpdir(), descriptor =>
    spawn(command, args, {
      ...{ env, cwd: '/', timeout, killSignal: 'SIGKILL', detached: process.platform !== 'win32' },
      stdio: ['ignore', 'pipe', 'pipe', 'ignore', 'ignore', descriptor ?? 'ignore'],
    }),
  )
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    // Absent if no descriptors are left.
    child[name]
      ?.setEncoding('utf8')
      .on('data', (text: string) => (texts[name] += text.slice(0, MAX_TEXT - texts[name].length)))
  }
  child.once('exit', () => endGroup(child))
  try {
    const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    const [stdout = '', said = ''] = [texts.stdout, texts.stderr.trim()].map(toPlainText)
    const late = child.killed ? `it did not answer within ${timeout / 1000} s` : ''
    const end = [late, said].filter(Boolean).join(': ')
    return { status, stdout, failure: end || (signal === null ? `exit code ${status}` : `it was ended by ${signal}`) }
  } catch (error) {
    if (SHORTAGES.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    return { status: null, stdout: '', failure: (error as Error).message }
  }
}

/** Ends what a process has left behind at its exit, and what holds its pipes: bwrap can end before its first process has asked to end with it. */
export function endGroup({ pid, stdio }: ChildProcess): void {
  killQuietly(-pid!)
  for (const pipe of stdio) if (pipe) closeOnceRead(pipe as Socket)
}

/** @param pid - negative for a group */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has exited.
  }
}

/** Lets a command start Node, which prints its version. Returns what it does instead. @throws as `tryCommand` */
export async function tryNode(trial: Trial): Promise<string | undefined> {
  const { status, stdout, failure } = await tryCommand(trial)
  return status === 0 && stdout.trim() === process.version ? undefined : failure.slice(0, 500)
}

/** Calls back with a descriptor of a file with these bytes, which is closed afterwards. @throws {BusError} InvalidParams if none can be created */
export function withFilterFile<T>(
  filter: Uint8Array | undefined,
  temporary: string,
  callback: (descriptor: number | undefined) => T,
): T {
  if (!filter) return callback(undefined)
  const descriptor = openUnnamed(temporary)
  try {
    // At a position, which leaves that of the descriptor at the start, where the launcher reads.
    for (let end = 0; end < filter.length;) end += writeSync(descriptor, filter, end, filter.length - end, end)
    return callback(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Nothing is written before the name is gone: a host that is killed leaves no file. */
function openUnnamed(temporary: string): number {
  const path = join(temporary, `sallyport-${Math.random().toString(36).slice(2)}`)
  try {
    const descriptor = openSync(path, 'wx+', 0o600)
    rmSync(path, { force: true })
    return descriptor
  } catch (error) {
    throw explainTemporary(error, temporary)
  }
}

/** Returns an error with a remedy for an error of the file system in the directory, and any other error as it is. */
export function explainTemporary(error: unknown, directory: string): unknown {
  const { code, path }: NodeJS.ErrnoException = Object(error)
  // The limit of descriptors has a remedy of its own.
  if (!path?.startsWith(directory) || code === 'EMFILE' || code === 'ENFILE') return error
  const remedy = 'Set TMPDIR to a directory that can, or mount one there (in Docker: --tmpfs)'
  return new BusError('InvalidParams', `The temporary directory ${directory} cannot be written (${code}). ${remedy}`, {
    cause: error,
  })
}
