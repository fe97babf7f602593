// The process of a frontend: Node in an empty directory, with no environment variable but the time zone, at a lower priority than the host.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { constants, getPriority, setPriority } from 'node:os'
import { join } from 'node:path'
import type { Duplex, Writable } from 'node:stream'
import { later, pause, PROCESS_PIPES } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { removeCgroup } from '../launchers/cgroup.js'
import { explainTemporary } from '../launchers/explain-temporary.js'
import { withFilterFile } from '../launchers/filter-file.js'
import { type Launch, NICENESS } from '../launchers/launcher.js'
import { CrashReport } from './crash-report.js'
import { OrphanGuard } from './orphan-guard.js'
import type { RelayData } from './relay-data.js'

export interface Child {
  readonly pid: number | undefined
  readonly control: Duplex
  /** The pipe of its frames, if the relay forwards them. */
  readonly link: Duplex | undefined
  /** The pipe to the broker of its network, if it has one. */
  readonly network: Duplex | undefined
  /** Settles once the process has exited and all of its output was read. Rejects if the process cannot be started. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null; outOfMemory: OutOfMemory | undefined }>
  /** Resolves once the process's orphan guard has exited too. */
  readonly guardExited: Promise<void>
  kill(): void
}

/** What V8 could not allocate: `process` if the kernel refused it. */
export type OutOfMemory = 'heap' | 'process'

/** The line that V8 writes to standard error before it aborts the process. A native stack of a few KiB follows. */
const OUT_OF_MEMORY =
  /^(?:FATAL ERROR: .* Allocation failed -|# Fatal) (?:JavaScript(?: heap)?|(process)) out of memory/m
const ERROR_TAIL_LENGTH = 8192
/** Time for a launcher to exit after its process. */
const LAUNCHER_EXIT_TIMEOUT_MS = 200
const LOWEST_PRIORITY = constants.priority.PRIORITY_LOW
const REMOVE_ATTEMPTS = 50
const REMOVE_INTERVAL_MS = 20
/** Written to standard error if a process printed anything before it was killed: it might have had more in its memory. */
const LOST_OUTPUT = 'Further output might be lost: the process was killed\n'

/** Where a process prints. */
export interface Output extends Record<'stdout' | 'stderr', Writable> {
  /** The process has exited. */
  end(): void
}

export function startChild(
  launch: Launch,
  { hasWall, hasBroker, temporary, env }: Pick<RelayData, 'hasWall' | 'hasBroker' | 'temporary' | 'env'>,
  output: Output,
  sockets: readonly Socket[] = [],
): Child {
  const { command, args, filter, endsWithParent = false, lowersPriority = false } = launch
  // A wall has its own directories.
  const directory = endsWithParent ? undefined : join(temporary, `sallyport-${Math.random().toString(36).slice(2)}`)
  let guard: OrphanGuard | undefined
  const removeDirectory = (): void => {
    if (directory === undefined) return
    try {
      // It is empty, and a recursive removal needs a descriptor, of which none might be left.
      rmdirSync(directory)
    } catch {
      rmSync(directory, { recursive: true, force: true })
    }
  }
  const [link = 'pipe', fromCore] = sockets
  let child: ChildProcess
  try {
    if (directory !== undefined) {
      guard = new OrphanGuard(directory)
      // Only this user can enter it.
      mkdirSync(directory, 0o700)
    }
    child = withFilterFile(filter, temporary, descriptor =>
      spawn(command, args, {
        cwd: directory ?? '/',
        env,
        stdio: ['ignore', 'pipe', 'pipe', 'pipe', link, ...getMorePipes(descriptor, hasBroker, fromCore)],
        // A session of its own, because Ctrl-C is for the host to handle.
        detached: process.platform !== 'win32',
      }),
    )
  } catch (error) {
    guard?.end()
    removeDirectory()
    throw explainStartError(error, temporary)
  } finally {
    // The process has them now.
    for (const socket of sockets) socket.destroy()
  }
  // The first listener of `exited` is added below, and Node creates no pipes if it has no descriptors left.
  child.on('error', () => {})
  if (!(child.stdout as unknown)) {
    guard?.end()
    removeDirectory()
    throw createDescriptorError()
  }
  for (const stream of child.stdio) stream?.on('error', () => {})
  const { pid } = child
  guard?.watch(child)
  let errorTail = ''
  const report = new CrashReport()
  /** Writes nothing for an empty chunk, which would wait until the host reads. Returns false if the next chunk must wait. */
  const printError = (chunk: Buffer): boolean => chunk.length === 0 || output.stderr.write(chunk)
  child.stderr!.on('data', (chunk: Buffer) => {
    errorTail = (errorTail + chunk.toString('latin1')).slice(-ERROR_TAIL_LENGTH)
    if (printError(report.withhold(chunk))) return
    child.stderr!.pause()
    output.stderr.once('drain', () => child.stderr!.resume())
  })
  const exited: Child['exited'] = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => {
      if (hasWall) killGroup(child.pid!)
      output.end()
      for (const pipe of child.stdio) if (pipe) endPipe(pipe as Socket)
    })
    child.once('close', (exitCode, exitSignal) => {
      const reported = hasWall ? getReportedSignal(exitCode) : undefined
      const signal = exitSignal ?? reported ?? null
      const code = reported ? null : exitCode
      const hasPrinted = [child.stdout, child.stderr].some(output => (output as Socket).bytesRead > 0)
      if (signal === 'SIGKILL' && hasPrinted) output.stderr.write(LOST_OUTPUT)
      // On Windows an aborted process has no signal.
      const isAborted = signal !== null || code === 134
      const line = isAborted ? OUT_OF_MEMORY.exec(errorTail) : null
      if (!line) printError(report.withheld)
      resolve({ code, signal, outOfMemory: line ? (line[1] === undefined ? 'heap' : 'process') : undefined })
    })
  })
  try {
    // It starts with the priority of the host, which can be low itself.
    if (pid !== undefined && !lowersPriority) setPriority(pid, Math.min(getPriority(pid) + NICENESS, LOWEST_PRIORITY))
  } catch {
    // The process has exited already.
  }
  child.stdout!.pipe(output.stdout, { end: false })
  const getPipe = (fd: number): Duplex => child.stdio[fd] as Duplex
  return {
    pid,
    control: getPipe(PROCESS_PIPES.control),
    link: link === 'pipe' ? getPipe(PROCESS_PIPES.link) : undefined,
    network: hasBroker ? getPipe(PROCESS_PIPES.network) : undefined,
    exited: exited.finally(removeDirectory),
    guardExited: guard?.exited ?? Promise.resolve(),
    kill() {
      if (!hasWall || pid === undefined) return void child.kill('SIGKILL')
      // The spawned process exits with its descendants. If it were killed first, nothing here could wait for them.
      const descendants = getChildren(pid)
      for (const each of descendants) killQuietly(each)
      if (descendants.length === 0) child.kill('SIGKILL')
      else later(LAUNCHER_EXIT_TIMEOUT_MS, () => child.kill('SIGKILL'))
    },
  }
}

/** More than the system buffers of a pipe. */
const MAX_BUFFERED_BYTES = 2 ** 18
/** Windows can report the exit first. */
const checkLater = process.platform === 'win32' ? (check: () => void) => later(500, check) : setImmediate

/**
 * Closes a pipe of a process that has exited, which another one can hold open for as long as it runs: what the process has written is read once a
 * whole poll phase of the event loop has found nothing in the pipe. What waits for core is kept.
 */
function endPipe(pipe: Socket): void {
  const first = pipe.bytesRead
  let read = -1
  const check = (): void => {
    const { bytesRead } = pipe
    if (pipe.destroyed) return
    if (pipe.isPaused()) return void pipe.once('resume', () => checkLater(check))
    if (bytesRead === read || bytesRead - first > MAX_BUFFERED_BYTES) return void pipe.destroy()
    read = bytesRead
    checkLater(check)
  }
  // The phase that is running can have polled already.
  checkLater(check)
}

/** @param filter - descriptor of the file at 5. The shell of a launcher opens 6 itself */
function getMorePipes(
  filter: number | undefined,
  hasBroker: boolean,
  fromCore: Socket | undefined,
): ('ignore' | 'pipe' | number | Socket)[] {
  const network = hasBroker ? 'pipe' : 'ignore'
  if (fromCore) return [filter ?? 'ignore', 'ignore', network, fromCore]
  if (hasBroker) return [filter ?? 'ignore', 'ignore', network]
  return filter === undefined ? [] : [filter]
}

/** Returns an error that says more than `EMFILE`, or than the error of the temporary directory. */
export const explainStartError = (error: unknown, temporary: string): unknown =>
  (error as NodeJS.ErrnoException).code === 'EMFILE' ? createDescriptorError() : explainTemporary(error, temporary)

function createDescriptorError(): BusError {
  const remedy = 'Close files, or raise the limit of the process (`ulimit -n`)'
  return new BusError('Overloaded', `The frontend process was not started: no file descriptors are left. ${remedy}`)
}

const SIGNALS = new Map<number, NodeJS.Signals>()
for (const [name, number] of Object.entries(constants.signals)) {
  // Two names have the same number: the first is the usual one.
  if (!SIGNALS.has(number)) SIGNALS.set(number, name as NodeJS.Signals)
}

/** A process that waits for another one exits with 128 and the number of the signal that ended the other one. */
const getReportedSignal = (code: number | null): NodeJS.Signals | undefined =>
  code !== null && code > 128 ? SIGNALS.get(code - 128) : undefined

/** Returns what `read` returns, or nothing if the thread or process has ended. */
function orNone<T>(read: () => T[]): T[] {
  try {
    return read()
  } catch {
    return []
  }
}

/** Returns the ids of the processes that a process has started and not waited for. */
export function getChildren(pid: number): number[] {
  const list = (thread: string) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ')
  // One thread may end while the others are read.
  const threads = orNone(() => readdirSync(`/proc/${pid}/task`))
  return threads
    .flatMap(thread => orNone(() => list(thread)))
    .filter(Boolean)
    .map(Number)
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has exited.
  }
}

/**
 * Kills what a launcher has left behind. bwrap can end before its first process in the wall has asked to end with it, such as by a limit of memory.
 *
 * @param pid - of the launcher, which leads its group
 */
export const killGroup = (pid: number): void => killQuietly(-pid)

/** The kernel removes a cgroup only once it has released the last process, a few milliseconds after its exit. */
export async function removeCgroups(cgroups: readonly string[] = []): Promise<void> {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
    if (cgroups.map(removeCgroup).every(Boolean)) return
    await pause(REMOVE_INTERVAL_MS)
  }
}
