// The process of a frontend: Node in an empty directory, with no environment variable but the time zone, at a lower priority than the host.
import type { StdioOptions } from 'node:child_process'
import { mkdirSync, rmdirSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { constants, getPriority, setPriority } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import {
  type LifecycleState,
  type Output,
  type OutputStream,
  PROCESS_PIPES,
} from '@sallyport/protocol/internal/contract'
import { BusError, isBusError } from '@sallyport/protocol/internal/errors'
import { Child, type ChildStatus } from '../child/child.js'
import type { ExceededLimit } from '../child/limits.js'
import { OrphanGuard } from '../child/orphan-guard.js'
import { explainTemporary, NICENESS, withFilterFile } from '../launchers/launcher.js'
import type { RelayData } from './relay-data.js'

export interface NodeProcess {
  readonly child: Pick<Child, 'pid' | 'watch' | 'kill'>
  readonly control: Duplex
  readonly link: Duplex | undefined
  readonly network: Duplex | undefined
  /** Settles once the process has exited and all of its output was read. Rejects if the process cannot be started. */
  readonly exited: Promise<ProcessStatus>
  /** Resolves once the process's orphan guard has exited too. */
  readonly guardExited: Promise<void> | undefined
}

export interface ProcessStatus extends ChildStatus {
  /** What V8 could not allocate: `process` if the kernel refused it. */
  readonly outOfMemory?: 'heap' | 'process' | undefined
}

/** The line that V8 writes to standard error before it aborts the process. A native stack of a few KiB follows. */
const OUT_OF_MEMORY =
  /^(?:FATAL ERROR: .* Allocation failed -|# Fatal) (?:JavaScript(?: heap)?|(process)) out of memory/m
const ERROR_TAIL_LENGTH = 8192
const LOWEST_PRIORITY = constants.priority.PRIORITY_LOW
/** Written to standard error if a process printed anything before it was killed: it might have had more in its memory. */
const LOST_OUTPUT = 'Further output might be lost: the process was killed\n'

export function startProcess(
  { launch, hasWall, hasBroker, temporary, env }: RelayData,
  output: Output,
  sockets: readonly Socket[] = [],
): NodeProcess {
  const { filter, endsWithParent = false, lowersPriority = false } = launch
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
  let child: Child
  try {
    if (directory !== undefined) {
      guard = new OrphanGuard(directory)
      mkdirSync(directory, 0o700)
    }
    child = withFilterFile(filter, temporary, descriptor => {
      const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'pipe', link]
      // The shell of a launcher opens 6 itself.
      stdio.push(descriptor ?? 'ignore', 'ignore', hasBroker ? 'pipe' : 'ignore', fromCore)
      return new Child({ launch, hasWall, endsPipes: true, cwd: directory ?? '/', env, stdio })
    })
  } catch (error) {
    guard?.end()
    removeDirectory()
    throw explainStartError(error, temporary)
  } finally {
    for (const socket of sockets) socket.destroy()
  }
  const { pid, process } = child
  guard?.watch(process)
  process.once('exit', () => output.end())
  let errorTail = ''
  const report = new CrashReport()
  /** The process waits if it prints faster than the host takes it. */
  function read(name: OutputStream, take: (text: string) => string): void {
    const stream = process[name]!.setEncoding('utf8')
    stream.on('data', (text: string) => {
      output.print(name, take(text))
      stream.pause()
      output.awaitSent(name, () => stream.resume())
    })
  }
  read('stdout', text => text)
  read('stderr', text => {
    errorTail = (errorTail + text).slice(-ERROR_TAIL_LENGTH)
    return report.withhold(text)
  })
  const exited = child.exited.then(status => {
    const { code, signal } = status
    const hasPrinted = [process.stdout, process.stderr].some(stream => (stream as Socket).bytesRead > 0)
    if (signal === 'SIGKILL' && hasPrinted) output.print('stderr', LOST_OUTPUT)
    // On Windows an aborted process has no signal.
    const isAborted = signal !== null || code === 134
    const line = isAborted ? OUT_OF_MEMORY.exec(errorTail) : null
    if (line) return { ...status, outOfMemory: line[1] === undefined ? ('heap' as const) : ('process' as const) }
    output.print('stderr', report.withheld)
    return status
  })
  try {
    // It starts with the priority of the host, which can be low itself.
    if (pid !== undefined && !lowersPriority) setPriority(pid, Math.min(getPriority(pid) + NICENESS, LOWEST_PRIORITY))
  } catch {}
  const getPipe = (fd: number): Duplex => process.stdio[fd] as Duplex
  return {
    child,
    control: getPipe(PROCESS_PIPES.control),
    link: link === 'pipe' ? getPipe(PROCESS_PIPES.link) : undefined,
    network: hasBroker ? getPipe(PROCESS_PIPES.network) : undefined,
    exited: exited.finally(removeDirectory),
    guardExited: guard?.exited,
  }
}

/** Returns an error that says more than `EMFILE`, or than the error of the temporary directory. */
export function explainStartError(error: unknown, temporary: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EMFILE') return explainTemporary(error, temporary)
  const remedy = 'Close files, or raise the limit of the process (`ulimit -n`)'
  return new BusError('Overloaded', `The frontend process was not started: no file descriptors are left. ${remedy}`)
}

export interface ProcessEvidence {
  /** What the process is called in errors. */
  readonly name: string
  readonly status: ProcessStatus
  readonly maxMemory?: number | undefined
  readonly killedFor?: BusError | undefined
  /** The host has asked it to stop. */
  readonly isStopping: boolean
  readonly lifecycle: LifecycleState | undefined
  /** It has been started before it was known for what. */
  readonly isSpare: boolean
}

export interface ProcessEnd {
  readonly error: BusError | undefined
  /** It ended by the order to stop, and could not say so. */
  readonly wasStopped: boolean
}

/** Says why a process has ended, from all that its relay knows, in whatever order it became known. */
export function judgeProcess({ name, status, isStopping, ...evidence }: ProcessEvidence): ProcessEnd {
  const { signal, wasKilled, outOfMemory } = status
  const { lifecycle, isSpare } = evidence
  const isForced = wasKilled && signal === 'SIGKILL'
  // A service manager ends all processes of a service by SIGTERM, while the host closes the bus.
  const wasEnded = isStopping && (isForced || signal === 'SIGTERM')
  const limit = status.limit ?? findRefusedMemory(outOfMemory, evidence.maxMemory)
  let error = limit ? createEnd(`${name} ${limit.text}`, { limit: limit.limit, max: limit.max }) : evidence.killedFor
  // It had exited before it could be killed for its silence.
  if (isBusError(error, 'Timeout') && !isForced) error = undefined
  // A process that has crashed, or that another program has killed, can be asked to stop before its exit is known.
  if (!error && !wasEnded && (signal || outOfMemory)) {
    error = createEnd(outOfMemory ? `${name} ran out of memory` : `${name} was terminated by ${signal}`)
  }
  const hasBegun = lifecycle === 'ready' || (lifecycle === undefined && !isSpare)
  return { error, wasStopped: !error && wasEnded && hasBegun }
}

const findRefusedMemory = (what: ProcessStatus['outOfMemory'], max: number | undefined): ExceededLimit | undefined =>
  what === 'process' && max !== undefined
    ? { limit: 'memory', max, text: `could not allocate memory (limit: ${max} MiB)` }
    : undefined

/** No place in Sallyport's own files is to blame for it. */
function createEnd(text: string, data?: object): BusError {
  const error = new BusError('Crashed', text, data && { data })
  error.stack = `${error.name}: ${text}`
  return error
}

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
