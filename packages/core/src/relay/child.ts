// The process of a frontend: Node in an empty directory, without environment variables, with a pipe for its link, at a lower
// priority than the host.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { PROCESS_PIPES } from '@sallyport/protocol/internal'

/** A `nice` value. While all cores are busy, a process at 0 gets three times the CPU time of a process at 5. */
const NICENESS = 5

export interface Child {
  readonly pid: number | undefined
  readonly control: Duplex
  readonly link: Duplex
  /** Settles once the process has exited and all of its output was read. Rejects if the process cannot be started. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Resolves once the process's orphan guard has exited too. */
  readonly guardExited: Promise<void>
  kill(): void
}

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
  const exited: Child['exited'] = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
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
