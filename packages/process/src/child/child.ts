// A process with all that it starts itself: that of a frontend, or a program. In a wall its descendants end with it, and else those of its group.
import { type ChildProcess, spawn, type SpawnOptions, type StdioOptions } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { silence } from '@sallyport/protocol/internal/contract'
import { toPlainText } from '@sallyport/protocol/internal/util'
import { endGroup, killQuietly, type Launch, type LaunchLimits } from '../launchers/launcher.js'
import { describeReached, type ExceededLimit, getChildren, type Usage, watchLimits } from './limits.js'

export interface ChildOptions extends Pick<SpawnOptions, 'cwd' | 'env' | 'stdio'> {
  readonly launch: Launch
  /** True if a launcher starts the program, which is then a descendant of the process that is spawned. */
  readonly hasWall: boolean
}

export interface ChildStatus {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Its launcher has said so by its exit code: it has not been killed itself. */
  readonly isReported?: boolean | undefined
  readonly wasKilled: boolean
  /** For which it was killed, or which the kernel has enforced. */
  readonly limit: ExceededLimit | undefined
}

/** Time for a launcher to exit after its process. */
const LAUNCHER_EXIT_TIMEOUT_MS = 200

export class Child {
  readonly process: ChildProcess
  readonly launch: Launch
  /** Settles once it has exited and its output was read, even if another process holds its pipes. Rejects if it cannot be started. */
  readonly exited: Promise<ChildStatus>
  readonly #hasWall: boolean
  #stopWatching = (): void => {}
  #limit: ExceededLimit | undefined
  #isKilled = false
  #isClosed = false

  /** @throws an error with the code `EMFILE` if no descriptors are left */
  constructor({ launch, hasWall, stdio: own, ...options }: ChildOptions) {
    this.launch = launch
    this.#hasWall = hasWall
    // A session of its own, because Ctrl-C is for the host to handle.
    const detached = process.platform !== 'win32'
    const { stdio, replaced } = replaceInherited(own)
    let child: ChildProcess
    try {
      child = this.process = spawn(launch.command, launch.args, { ...options, stdio, detached })
    } catch (error) {
      // Of a descriptor above a limit of open files that was lowered later, which no pipe can have.
      throw replaced.length > 0 && Object(error).code === 'EINVAL' ? createShortage() : error
    }
    this.exited = new Promise((resolve, reject) => {
      // Also of a kill that the system refuses, which ends nothing.
      child.on('error', error => void (this.pid === undefined && reject(error)))
      child.once('exit', () => endGroup(child))
      child.once('close', (exitCode, exitSignal) => {
        this.#isClosed = true
        this.#stopWatching()
        const reported = hasWall ? getReportedSignal(exitCode) : undefined
        resolve({
          code: reported ? null : exitCode,
          signal: exitSignal ?? reported ?? null,
          isReported: reported !== undefined,
          wasKilled: this.#isKilled,
          limit: this.#limit ?? describeReached(launch),
        })
      })
    })
    this.exited.catch(() => {})
    // Node creates no pipes if it has no descriptors left.
    if (!(child.stdout as unknown)) throw createShortage()
    for (const stream of child.stdio) stream?.on('error', () => {})
    for (const descriptor of replaced) child.stdio[descriptor]?.destroy()
  }

  get pid(): number | undefined {
    return this.process.pid
  }

  /** Kills it once it exceeds a limit. Usage of CPU time before this call does not count. */
  watch(limits: LaunchLimits, onUsage?: (usage: Usage) => void): void {
    this.#stopWatching()
    if (this.pid === undefined || this.#isClosed) return
    const onExceeded = (exceeded: ExceededLimit): void => {
      this.#limit ??= exceeded
      this.kill()
    }
    this.#stopWatching = watchLimits(this.pid, limits, this.launch, onExceeded, onUsage)
  }

  kill(): void {
    const { pid, process: child } = this
    // Its group has ended with it: that number can be another's.
    if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    this.#isKilled = true
    if (this.#hasWall) {
      // The spawned process exits with its descendants. If it were killed first, nothing here could wait for them.
      const descendants = getChildren(pid)
      for (const each of descendants) killQuietly(each)
      if (descendants.length === 0) child.kill('SIGKILL')
      else silence(LAUNCHER_EXIT_TIMEOUT_MS, { keepsAlive: false }, () => child.kill('SIGKILL'))
      return
    }
    killQuietly(-pid)
    child.kill('SIGKILL')
  }
}

const CLOSE_ON_EXEC = 0o2000000
let inherited: readonly number[] | undefined

/**
 * Who started this process can have left a descriptor open, such as that of a directory, which would lead out of any wall. Node closes those up to 15
 * as it starts a process, and others up to the first gap. In the place of the rest, a process gets a pipe without another end.
 */
function replaceInherited(own: StdioOptions = 'pipe'): { stdio: StdioOptions; replaced: readonly number[] } {
  const stdio = Array.isArray(own) ? [...own] : [own, own, own]
  const replaced = (inherited ??= listInherited()).filter(descriptor => descriptor >= stdio.length)
  for (const descriptor of replaced) {
    while (stdio.length < descriptor) stdio.push('ignore')
    stdio.push('pipe')
  }
  return { stdio, replaced }
}

/** Node itself opens none that a process would inherit. @throws an error with the code `EMFILE` if no descriptors are left to find them with */
function listInherited(): number[] {
  const isInherited = (descriptor: number): boolean => {
    const info = readIfThere(() => readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))
    const [, flags = ''] = /^flags:\s*(\d+)/m.exec(info ?? '') ?? []
    return info !== undefined && (parseInt(flags, 8) & CLOSE_ON_EXEC) === 0
  }
  const all = readIfThere(() => readdirSync('/proc/self/fd').map(Number)) ?? []
  return all.toSorted((a, b) => a - b).filter(descriptor => descriptor > 2 && isInherited(descriptor))
}

/** Returns `undefined` on another system, and for a descriptor that is closed again, as that of the directory. */
function readIfThere<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (/^E[MN]FILE$/.test(String(Object(error).code))) throw createShortage()
    return undefined
  }
}

const createShortage = (): Error => Object.assign(new Error('spawn EMFILE'), { code: 'EMFILE' })

/** Returns the line of a program's last output that says why it has ended: Node prints a stack and its version after it. */
export function findLastLine(text: string): string {
  const plain = toPlainText(text)
  const lines = plain.split('\n').filter(line => !/^\s*$|^Node\.js v\S+$/.test(line))
  const error = lines.findLast(line => /^\w*Error(?: \[\w+\])?:/.test(line))
  if (error === undefined) return lines.at(-1)?.trimEnd() ?? ''
  // The file that it may not read.
  return [error, /^ +(resource: .+?),?$/m.exec(plain)?.[1]].filter(Boolean).join(', ')
}

/** A launcher exits with 128 and the number of the signal that ended its process. */
const getReportedSignal = (code: number | null): NodeJS.Signals | undefined =>
  // Two names have the same number: the first is the usual one.
  (Object.keys(constants.signals) as NodeJS.Signals[]).find(name => constants.signals[name] + 128 === code)
