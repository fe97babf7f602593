// A process: Node in an empty directory, with no environment variable but the time zone, at a lower priority than the host.
import type { StdioOptions } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { constants, getPriority, setPriority } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { StringDecoder } from 'node:string_decoder'
import {
  FRONTEND_PROCESS,
  type Output,
  type OutputStream,
  PROCESS_GREETING,
  PROCESS_STREAMS,
} from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { Child, type ChildStatus, findLastLine } from '../child/child.js'
import { OrphanGuard } from '../child/orphan-guard.js'
import { explainTemporary, type Launch, NICENESS, withFilterFile } from '../launchers/launcher.js'
import type { RelayData } from './relay-data.js'

export interface NodeProcess {
  readonly child: Pick<Child, 'pid' | 'watch' | 'kill'>
  readonly streams: StreamMultiplexer
  /** Returns how many UTF-16 code units it has printed. */
  readonly countPrinted: () => number
  /** Settles once the process has exited and all of its output was read. Rejects if the process cannot be started. */
  readonly exited: Promise<ProcessStatus>
  /** Resolves once the process's orphan guard has exited too, and its directory is gone. */
  readonly released: Promise<unknown>
}

export interface ProcessStatus extends ChildStatus {
  /** What V8 could not allocate: `process` if the kernel refused it. */
  readonly outOfMemory?: 'heap' | 'process' | undefined
  /** False if it has ended before the program of the process began, such as a launcher that could not start it. */
  readonly hasGreeted?: boolean | undefined
  /** The last line of its standard error that says why it has ended, and what was the last one of its standard output before it has greeted. */
  readonly lastLines?: readonly string[]
}

/** The line that V8 writes to standard error before it aborts the process. A native stack of a few KiB follows. */
const OUT_OF_MEMORY =
  /^(?:FATAL ERROR: .* Allocation failed -|# Fatal) (?:JavaScript(?: heap)?|(process)) out of memory/m
const TAIL_LENGTH = 8192
const LOWEST_PRIORITY = constants.priority.PRIORITY_LOW
/** Written to standard error if a process printed anything before it was killed: it might have had more in its memory. */
const LOST_OUTPUT = 'Further output might be lost: the process was killed\n'

/**
 * Starts the process. Its streams are those of `PROCESS_STREAMS`.
 *
 * @param sockets - those that it gets for its frames, unless they pass the relay
 * @param closed - called when its pipe has closed, with its violation of the protocol if there was one
 */
export function startProcess(
  data: RelayData,
  output: Output,
  sockets: readonly Socket[],
  closed: (fault?: BusError) => void,
): NodeProcess {
  const { launch, temporary } = data
  // A wall has its own directories.
  const directory = launch.endsWithParent
    ? undefined
    : join(temporary, `sallyport-${Math.random().toString(36).slice(2)}`)
  const { child, guard } = spawnIn(directory, data, sockets)
  const { pid, process } = child
  // At once: a launcher can close its streams after it has started the process.
  guard?.watch(process, data.launcher !== undefined && !data.isElsewhere, () => streams.isGreeted)
  process.once('exit', () => output.end())
  const printed = new Printed(output)
  const skipped = new StringDecoder()
  const streams = new StreamMultiplexer(process.stdout!, process.stdin!, {
    greeting: PROCESS_GREETING,
    skipped: bytes => printed.skip(skipped.write(bytes)),
    closed,
  })
  const stdout = printed.read('stdout', streams.open(PROCESS_STREAMS.stdout))
  printed.read('stderr', process.stderr!)
  const exited = child.exited.then(async status => {
    await finished(stdout, { writable: false }).catch(() => {})
    return { ...status, ...printed.end(status), hasGreeted: streams.isGreeted }
  })
  try {
    // It starts with the priority of the host, which can be low itself.
    if (pid !== undefined && !launch.lowersPriority)
      setPriority(pid, Math.min(getPriority(pid) + NICENESS, LOWEST_PRIORITY))
  } catch {}
  return {
    child,
    streams,
    countPrinted: () => printed.length,
    exited,
    released: Promise.all([guard?.exited, exited.catch(() => {}).then(() => removeDirectory(directory))]),
  }
}

/** @param directory - its working directory, which is created for it; `undefined` in a wall */
function spawnIn(
  directory: string | undefined,
  { launch, launcher, temporary, env }: RelayData,
  [link = 'ignore', fromCore = 'ignore']: readonly (Socket | 'ignore')[],
): { child: Child; guard: OrphanGuard | undefined } {
  let guard: OrphanGuard | undefined
  try {
    if (directory !== undefined || launch.stop) guard = new OrphanGuard(directory, launch)
    if (directory !== undefined) mkdirSync(directory, 0o700)
    const child = withFilterFile(launch.filter, temporary, descriptor => {
      const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', 'ignore', link]
      // The shell of a launcher opens 6 itself.
      stdio.push(descriptor ?? 'ignore', 'ignore', 'ignore', fromCore)
      const hasWall = launcher !== undefined
      return new Child({ launch: withoutDump(launch), hasWall, cwd: directory ?? '/', env, stdio })
    })
    return { child, guard }
  } catch (error) {
    guard?.end()
    void removeDirectory(directory)
    throw explainStartError(error, temporary)
  }
}

const SHELL = '/bin/sh'

/**
 * A process that crashes writes no core dump: a file with its memory, and all secrets in it. Its limit must be set before it runs, which only a
 * shell can do. A process that the launcher starts elsewhere has the limit of that place.
 */
function withoutDump(launch: Launch): Launch {
  // The error of a missing command is that of its start.
  if (process.platform === 'win32' || ![SHELL, launch.command].every(path => existsSync(path))) return launch
  const args = ['-c', 'ulimit -c 0; exec "$@"', 'sallyport', launch.command, ...launch.args]
  return { ...launch, command: SHELL, args }
}

async function removeDirectory(directory: string | undefined): Promise<void> {
  if (directory === undefined) return
  try {
    // It is empty, and a recursive removal needs a descriptor, of which none might be left.
    rmdirSync(directory)
  } catch {
    // Not at once: a large file would block the thread, which can have other relays.
    await rm(directory, { recursive: true, force: true }).catch(() => {})
  }
}

/** What a process prints, and what V8 says in it. */
class Printed {
  readonly #output: Output
  readonly #report = new CrashReport()
  #errorTail = ''
  #skippedTail = ''
  /** UTF-16 code units so far. */
  length = 0

  constructor(output: Output) {
    this.#output = output
  }

  /** The process waits if it prints faster than the host takes it. */
  read(name: OutputStream, stream: Readable): Readable {
    let isWaiting = false
    const take = (): void => {
      // All that is there: lines that have waited for the host go on together.
      const text: string | null = stream.read()
      isWaiting = text !== null
      if (text === null) return
      this.length += text.length
      this.#output.print(name, name === 'stderr' ? this.#takeError(text) : text)
      this.#output.awaitSent(name, take)
    }
    return stream.setEncoding('utf8').on('readable', () => isWaiting || take())
  }

  /** What a launcher prints to standard output is no output of the code. */
  skip(text: string): void {
    this.#skippedTail = (this.#skippedTail + text).slice(-TAIL_LENGTH)
    this.#output.print('stderr', text)
  }

  #takeError(text: string): string {
    this.#errorTail = (this.#errorTail + text).slice(-TAIL_LENGTH)
    return this.#report.withhold(text)
  }

  end({ code, signal }: ChildStatus): Pick<ProcessStatus, 'outOfMemory' | 'lastLines'> {
    if (signal === 'SIGKILL' && this.length > 0) this.#output.print('stderr', LOST_OUTPUT)
    // On Windows an aborted process has no signal.
    const isAborted = signal !== null || code === 134
    const line = isAborted ? OUT_OF_MEMORY.exec(this.#errorTail) : null
    if (line) return { outOfMemory: line[1] === undefined ? 'heap' : 'process' }
    this.#output.print('stderr', this.#report.withheld)
    return { lastLines: [this.#errorTail, this.#skippedTail].map(findLastLine) }
  }
}

/** Returns an error that says more than `EMFILE`, or than the error of the temporary directory. */
export function explainStartError(error: unknown, temporary: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EMFILE') return explainTemporary(error, temporary)
  const remedy = 'Close files, or raise the limit of the process (`ulimit -n`)'
  return new BusError('Overloaded', `${FRONTEND_PROCESS} was not started: no file descriptors are left. ${remedy}`)
}

/** Its own libraries write no invalid record: code can, if it has taken the descriptor. */
export const explainPipeFault = ({ reason, message }: BusError): BusError =>
  new BusError(reason, `${message}. Print by console, process.stdout or node:fs, and not to descriptor 1 itself`)

/** A report has a few KiB. Code that prints its first line, and then more, is not held back any further. */
const MAX_REPORT_LENGTH = 2 ** 15
const FIRST_LINE = /^\n?(?:<--- Last few GCs --->|FATAL ERROR: |#\n# Fatal )/m

/** What V8 prints when a process runs out of memory: its last garbage collections and a native stack. Neither is output of the code. */
export class CrashReport {
  /** What the process has printed from the first line of a report on. It is output unless the process has run out of memory. */
  withheld = ''
  #isOver = false

  withhold(text: string): string {
    if (this.#isOver) return text
    const begin = this.withheld === '' ? text.search(FIRST_LINE) : 0
    if (begin < 0) return text
    const report = this.withheld + text.slice(begin)
    this.#isOver = report.length > MAX_REPORT_LENGTH
    this.withheld = this.#isOver ? '' : report
    return this.#isOver ? text.slice(0, begin) + report : text.slice(0, begin)
  }
}
