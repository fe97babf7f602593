// The process of a frontend: Node in an empty folder, without environment, with pipes for its links, and less urgent than
// the host.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { PROCESS_PIPES } from '@sallyport/protocol'

// A process that spins does not see that its relay has gone. So a shell waits beside it, at the end of a pipe that nobody
// writes to before the process has ended: where the pipe ends first, however that came, the shell kills the process. Where
// there is no shell, a process that spins outlives a host that was killed.

const SCRIPT = 'read -r _ || { kill -9 "$1"; rmdir "$2"; }'

/** Settled once the shell has ended too: what ends after its relay stays in the host's table of processes. */
async function killOnParentExit(child: ChildProcess, folder: string): Promise<void> {
  if (process.platform === 'win32' || child.pid === undefined) return
  const args = ['-c', SCRIPT, 'sallyport', String(child.pid), folder]
  const shell = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], cwd: '/', env: {}, detached: true })
  shell.stdin.on('error', () => {})
  child.once('exit', () => shell.stdin.end('\n'))
  await new Promise(resolve => shell.once('error', resolve).once('exit', resolve))
}

/** As of `nice`: where all cores are busy, a process of 0 has three times the time of one of 5. */
const NICENESS = 5

export interface Child {
  readonly pid: number | undefined
  readonly control: Duplex
  readonly core: Duplex
  readonly gate: Duplex | undefined
  /** Settled once it has ended and all that it wrote was read. Rejects where it can't be started. */
  readonly ended: Promise<ChildEnd>
  /** Settled once what watches over it has ended as well. */
  readonly alone: Promise<void>
  kill(): void
}

export interface ChildEnd {
  code: number | null
  signal: NodeJS.Signals | null
}

export function startChild(args: string[], temporary: string, isolated: boolean): Child {
  const folder = mkdtempSync(join(temporary, 'sallyport-'))
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: {},
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', isolated ? 'pipe' : 'ignore'],
    // In a session of its own: a Ctrl-C is the host's to hear.
    detached: process.platform !== 'win32',
  })
  const { pid } = child
  const alone = killOnParentExit(child, folder)
  const ended = getExit(child).finally(() => rmSync(folder, { recursive: true, force: true }))
  if (pid !== undefined) makeLessUrgent(pid)
  child.stdout!.pipe(process.stdout)
  child.stderr!.pipe(process.stderr)
  const pipe = (fd: number): Duplex => child.stdio[fd] as Duplex
  return {
    pid,
    control: pipe(PROCESS_PIPES.control),
    core: pipe(PROCESS_PIPES.core),
    gate: isolated ? pipe(PROCESS_PIPES.gate) : undefined,
    ended,
    alone,
    kill: () => child.kill('SIGKILL'),
  }
}

const getExit = (child: ChildProcess): Promise<ChildEnd> =>
  new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })

function makeLessUrgent(pid: number): void {
  try {
    setPriority(pid, NICENESS)
  } catch {
    // It has ended already.
  }
}
