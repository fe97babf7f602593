// What ends with a process that cannot say so: those without a wall, which the kernel does not end with their parent.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

/** Kills the process of the first line with its group, and removes the directory, unless there is a second line before the pipe ends. */
const SCRIPT = 'read -r pid && read -r _ || { [ -z "$pid" ] || kill -9 "-$pid" "$pid"; rmdir "$1"; }'

/**
 * A shell that kills a process when this one disappears, because a busy process would not notice. It starts before the process and its
 * directory, and reads a pipe on which this process says which one it is, and that it has exited; if the pipe ends first, for whatever
 * reason, the shell kills the process. On Windows, which has no such shell, a busy process outlives a host that was killed.
 */
export class OrphanGuard {
  /** Resolves once the shell has exited: a process that exits after its relay stays in the host's process table. */
  readonly exited: Promise<void> | undefined
  readonly #stdin: Writable | undefined

  /** @param directory - of the process: it is removed, if it is empty, when this process disappears. It need not exist yet */
  constructor(directory = '') {
    if (process.platform === 'win32') return
    const args = ['-c', SCRIPT, 'sallyport', directory]
    const shell = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], cwd: '/', env: {}, detached: true })
    this.exited = new Promise(resolve => shell.once('error', () => resolve()).once('exit', () => resolve()))
    // Absent if no descriptors are left.
    this.#stdin = shell.stdin as Writable | undefined
    this.#stdin?.on('error', () => {})
  }

  watch(child: ChildProcess): void {
    if (child.pid === undefined) return this.end()
    this.#stdin?.write(`${child.pid}\n`)
    child.once('exit', () => this.#stdin?.end('\n'))
  }

  end(): void {
    this.#stdin?.end()
  }
}
