// What ends with a process that cannot say so: those without a wall, which the kernel does not end with their parent, and what lives elsewhere.
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import type { Writable } from 'node:stream'
import { silence } from '@sallyport/protocol/internal/contract'
import { closeOnceRead } from '@sallyport/protocol/internal/link'
import type { Launch } from '../launchers/launcher.js'
import { findLastLine } from './child.js'
import { setStopStatus, STOP_TIMEOUT_MS } from './stop-status.js'

/**
 * Kills the process of the first line with its group, and removes the directory, unless there is a second line before the pipe ends. A launcher can
 * have started others in sessions of their own. So on Linux, whoever has the sockets of the first line as its standard input or output is killed after
 * each end, with all that it has started: each is stopped before it is asked for that, so that it starts no more meanwhile.
 *
 * Then it runs the command that is left, if there is one: again after 1 and 3 s, unless the second line is `done`. A daemon can still be creating what
 * a client has asked for that was killed, and finds nothing to remove before. After 60 s the command ends with this group. Nobody reads what it says
 * once the host is gone.
 */
const SCRIPT = [
  'trap "" PIPE; all= next= group= end=',
  'halt() { for each; do case " $all " in *" $each "*) continue; esac; all="$all $each"; kill -STOP "$each"',
  'for file in /proc/$each/task/*/children; do read -r more <"$file"; next="$next $more"; done; done; }',
  '{ read -r pid in out && read -r end || { next=${in:+$pid}; group=${pid:+-$pid $pid}; }',
  '[ -z "$in" ] || for file in $(PATH=$PATH:/usr/bin:/bin',
  'find -L /proc/[0-9]*/fd/[01] -maxdepth 0 -type s "(" -inum "$in" -o -inum "$out" ")"); do',
  'file=${file#/proc/}; next="$next ${file%%/*}"; done',
  'while [ -n "$next" ]; do these=$next; next=; halt $these; done; [ -z "$group$all" ] || kill -9 $group $all',
  '[ -n "$end" ] || PATH=$PATH:/usr/bin:/bin rmdir "$1"; } 2>/dev/null; shift; [ $# -gt 0 ] || exit 0',
  "(trap 'kill -9 $!; exit' TERM; PATH=$PATH:/usr/bin:/bin sleep 60 & wait $! && kill -9 0) >/dev/null 2>&1 & timer=$!",
  '"$@"; code=$?; [ -z "$pid" ] || [ "$end" = done ] || for pause in 1 2; do',
  'PATH=$PATH:/usr/bin:/bin sleep $pause; "$@"; code=$?; done; kill $timer; exit $code',
].join('\n')
/** Of the script, between its runs of `stop`. */
const PAUSES_MS = 3000

/** What a guard runs, and where it says how that has ended. */
export interface GuardedLaunch extends Pick<Launch, 'stop' | 'env'> {
  /** For `describeStop`. */
  readonly stopStatus?: SharedArrayBuffer | undefined
}

/**
 * A shell that kills a process when this one disappears, because a busy process would not notice. It starts before the process and its
 * directory, and reads a pipe on which this process says which one it is, and that it has exited; if the pipe ends first, for whatever
 * reason, the shell kills the process. On Windows, which has no such shell, a busy process outlives a host that was killed.
 */
export class OrphanGuard {
  /** Resolves once the shell has exited, with which what lives elsewhere has ended: a process that exits after its relay stays in the host's process table. */
  readonly exited: Promise<void> | undefined
  readonly #launch: GuardedLaunch
  readonly #stdin: Writable | undefined

  #said = ''
  #giveUp = (): void => {}

  /**
   * @param directory - of the process: it is removed, if it is empty, when this process disappears. It need not exist yet
   * @param launch - `stop` runs when the process has exited, or this one has disappeared
   */
  constructor(directory = '', launch: GuardedLaunch = {}) {
    this.#launch = launch
    if (process.platform === 'win32') return
    const { stop, stopStatus, env = {} } = launch
    const args = ['-c', SCRIPT, 'sallyport', directory, ...(stop ? [stop.command, ...stop.args] : [])]
    const stdio: StdioOptions = ['pipe', 'ignore', stop ? 'pipe' : 'ignore']
    const shell = spawn('/bin/sh', args, { stdio, cwd: '/', env, detached: true })
    shell.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#said = (this.#said + text).slice(-1024)))
    this.exited = new Promise(resolve => {
      const end = (failure: string): void => {
        const said = failure && findLastLine(this.#said)
        if (stop && stopStatus) setStopStatus(stopStatus, said ? `${failure}: ${said}` : failure)
        resolve()
      }
      this.#giveUp = () => end(`did not exit within ${STOP_TIMEOUT_MS / 1000} s`)
      shell.once('error', () => end('was not run: /bin/sh could not be started'))
      // What it leaves running can hold its standard error.
      shell.once('exit', () => shell.stderr && closeOnceRead(shell.stderr as Socket))
      // With the exit code of `stop`.
      shell.once('close', code => end(code === 0 ? '' : code === null ? 'was killed' : `exited with code ${code}`))
    })
    // Absent if no descriptors are left.
    this.#stdin = shell.stdin as Writable | undefined
    this.#stdin?.on('error', () => {})
  }

  /**
   * @param hasLauncher - true if it starts a process of this machine that has its standard streams
   * @param hasBegun - called at its exit. Returns false if what it starts elsewhere might not be there yet
   */
  watch(child: ChildProcess, hasLauncher = false, hasBegun: () => boolean = () => true): void {
    const { pid } = child
    if (pid === undefined) return this.end()
    const sockets = hasLauncher ? [0, 1].map(stream => getInode(`/proc/${pid}/fd/${stream}`)) : []
    this.#stdin?.write(`${[pid, ...sockets].join(' ')}\n`)
    child.once('exit', (code, signal) => {
      // One that exits by itself has waited for what it has asked for. One whose own client was killed says so by its code.
      const wasKilled = (signal !== null || code === 128 + constants.signals.SIGKILL) && !hasBegun()
      this.#stdin?.end(wasKilled ? 'killed\n' : 'done\n')
      const ms = STOP_TIMEOUT_MS + (wasKilled ? PAUSES_MS : 0)
      const endWait = silence(ms, { keepsAlive: false }, this.#giveUp)
      void this.exited?.then(endWait)
      const { stop, env } = this.#launch
      if (stop && process.platform === 'win32')
        spawn(stop.command, stop.args, { stdio: 'ignore', env }).on('error', () => {})
    })
  }

  end(): void {
    this.#stdin?.end()
  }
}

/** Returns 0, which is nobody's, if it cannot be read. */
function getInode(path: string): string {
  try {
    // As a BigInt: after one with numbers, Node 20 resolves no links in paths of modules.
    return String(statSync(path, { bigint: true }).ino)
  } catch {
    return '0'
  }
}
