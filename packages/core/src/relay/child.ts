// The process of a frontend: Node in an empty directory, without environment variables, at a lower priority than the host.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { PROCESS_PIPES } from '@sallyport/protocol/internal'
import type { ProcessLimits } from '../contract/host-relay.js'

/** A `nice` value. While all cores are busy, a process at 0 gets three times the CPU time of a process at 5. */
const NICENESS = 5

export interface Child {
  readonly pid: number | undefined
  readonly control: Duplex
  readonly link: Duplex
  /** Settles once the process has exited and all of its output was read. Rejects if the process cannot be started. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null; ranOutOfMemory: boolean }>
  /** Resolves once the process's orphan guard has exited too. */
  readonly guardExited: Promise<void>
  kill(): void
}

/** The line that V8 writes to standard error before it aborts the process. A native stack of a few KiB follows. */
const OUT_OF_MEMORY = /^(?:FATAL ERROR: .* Allocation failed -|# Fatal) (?:JavaScript(?: heap)?|process) out of memory/m
const ERROR_TAIL_LENGTH = 8192
/** Written to standard error if a process printed anything before it was killed: it might have had more in its memory. */
const LOST_OUTPUT = 'Further output might be lost: the process was killed\n'

export function startChild(args: string[], temporary: string): Child {
  const directory = mkdtempSync(join(temporary, 'sallyport-'))
  const child = spawn(process.execPath, args, {
    cwd: directory,
    env: {},
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    // A session of its own, because Ctrl-C is for the host to handle.
    detached: process.platform !== 'win32',
  })
  const { pid } = child
  const guardExited = startOrphanGuard(child, directory)
  let errorTail = ''
  child.stderr!.on('data', (chunk: Buffer) => {
    errorTail = (errorTail + chunk.toString('latin1')).slice(-ERROR_TAIL_LENGTH)
  })
  const exited: Child['exited'] = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const hasPrinted = [child.stdout, child.stderr].some(output => (output as Socket).bytesRead > 0)
      if (signal === 'SIGKILL' && hasPrinted) process.stderr.write(LOST_OUTPUT)
      // On Windows an aborted process has no signal.
      const isAborted = signal !== null || code === 134
      resolve({ code, signal, ranOutOfMemory: isAborted && OUT_OF_MEMORY.test(errorTail) })
    })
  })
  try {
    if (pid !== undefined) setPriority(pid, NICENESS)
  } catch {
    // The process has exited already.
  }
  child.stdout!.pipe(process.stdout)
  child.stderr!.pipe(process.stderr)
  const getPipe = (fd: number): Duplex => child.stdio[fd] as Duplex
  return {
    pid,
    control: getPipe(PROCESS_PIPES.control),
    link: getPipe(PROCESS_PIPES.link),
    exited: exited.finally(() => rmSync(directory, { recursive: true, force: true })),
    guardExited,
    kill: () => child.kill('SIGKILL'),
  }
}

const ORPHAN_GUARD = 'read -r _ || { kill -9 "$1"; rmdir "$2"; }'

/**
 * Starts a shell that kills the process when the relay disappears, because a busy process would not notice. The shell reads a pipe
 * to which the relay writes only after the process has exited; if the pipe ends first, for whatever reason, the shell kills the
 * process. On Windows, which has no such shell, a busy process outlives a host that was killed.
 *
 * Resolves once the shell has exited: a process that exits after its relay stays in the host's process table.
 */
async function startOrphanGuard(child: ChildProcess, directory: string): Promise<void> {
  if (process.platform === 'win32' || child.pid === undefined) return
  const args = ['-c', ORPHAN_GUARD, 'sallyport', String(child.pid), directory]
  const shell = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], cwd: '/', env: {}, detached: true })
  shell.stdin.on('error', () => {})
  child.once('exit', () => shell.stdin.end('\n'))
  await new Promise(resolve => shell.once('error', resolve).once('exit', resolve))
}

// Limits: memory at any moment, and CPU time over ten seconds. Linux only, as usage is read from /proc; elsewhere the options are rejected.

const CPU_WINDOW_MS = 10_000
/** Interval of checks. Memory can grow by some hundred MiB between two of them. */
export const CHECK_INTERVAL_MS = 100
const MIB: number = 2 ** 20
/** Linux counts CPU time in ticks of this length for programs, on every machine that Node runs on. */
const TICKS_PER_SECOND = 100

/** Returns a function that takes one sample after another, and returns which limit was exceeded, if any. */
export function createLimitCheck({ memory, cpu }: ProcessLimits): (usage: Usage, now: number) => string | undefined {
  /** Samples within the window, and the last one before it. */
  const samples: { at: number; cpu: number }[] = []
  return (usage, now) => {
    if (memory !== undefined && usage.memory > memory * MIB) {
      return `used ${Math.ceil(usage.memory / MIB)} MiB of memory (limit: ${memory} MiB)`
    }
    if (cpu === undefined) return undefined
    samples.push({ at: now, cpu: usage.cpu })
    while (samples.length > 1 && now - samples[1]!.at >= CPU_WINDOW_MS) samples.shift()
    const oldest = samples[0]!
    const time = now - oldest.at
    if (time < CPU_WINDOW_MS) return undefined
    const share = (usage.cpu - oldest.cpu) / time
    if (share <= cpu) return undefined
    return `used ${share.toFixed(2)} of a core for ${CPU_WINDOW_MS / 1000} s (limit: ${cpu})`
  }
}

export interface Usage {
  /** Resident bytes. */
  memory: number
  /** Milliseconds of CPU time of all threads since the process started. */
  cpu: number
}

/** Returns `undefined` if the process has exited. Synchronous, because reading /proc takes a few microseconds. */
export function readUsage(pid: number): Usage | undefined {
  try {
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
    // The name of the program is in parentheses and can contain anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')
    const ticks = Number(stat[11]) + Number(stat[12])
    return { memory: Number(resident?.[1] ?? 0) * 1024, cpu: (ticks * 1000) / TICKS_PER_SECOND }
  } catch {
    return undefined
  }
}
