// A process that busy code cannot hold up, and that cleans up after the relay of a killed host.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

/** Kills the process of the first line, and removes the directory, unless there is a second line before the pipe ends. */
const SCRIPT = 'read -r pid && read -r _ || { [ -z "$pid" ] || kill -9 "$pid"; rmdir "$1"; }'

/**
 * A shell that kills a process when the relay disappears, because a busy process would not notice. It starts before the process and its
 * directory, and reads a pipe on which the relay says which process it is, and that it has exited; if the pipe ends first, for whatever
 * reason, the shell kills the process. On Windows, which has no such shell, a busy process outlives a host that was killed.
 */
export class OrphanGuard {
  /** Resolves once the shell has exited: a process that exits after its relay stays in the host's process table. */
  readonly exited: Promise<void>
  readonly #stdin: Writable | undefined

  /** @param directory - of the process: it is removed, if it is empty, when the relay disappears. It need not exist yet */
  constructor(directory: string) {
    this.exited = Promise.resolve()
    if (process.platform === 'win32') return
    const args = ['-c', SCRIPT, 'sallyport', directory]
    const shell = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], cwd: '/', env: {}, detached: true })
    this.exited = new Promise(resolve => shell.once('error', () => resolve()).once('exit', () => resolve()))
    // Absent if no descriptors are left.
    this.#stdin = (shell.stdin as Writable | null | undefined) ?? undefined
    this.#stdin?.on('error', () => {})
  }

  watch(child: ChildProcess): void {
    if (child.pid === undefined) return this.end()
    this.#stdin?.write(`${child.pid}\n`)
    child.once('exit', () => this.#stdin?.end('\n'))
  }

  /** There is no process. */
  end(): void {
    this.#stdin?.end()
  }
}
