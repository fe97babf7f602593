// Processes of many scripts. A script is a member of the thread of its process's relay. A process without scripts ends, unless it is a spare.
import { getBackoff } from '@sallyport/protocol/internal/util'
import type { HostLog } from '../reporting/log.js'
import { pipeToLog, throttleLines } from './output.js'
import type { SharedThreads } from './shared-threads.js'
import type { ThreadMember } from './thread-member.js'

/** After a script was started: it comes first. */
const REFILL_DELAY_MS = 100
/** Pools. Those without scripts that were not used for the longest time make room for others. */
const MAX_POOLS = 16
/** Before the next process if one has ended by itself. */
const RETRY_DELAY = { min: 1000, max: 60_000 }

export interface ScriptRequest {
  /** The name of the script, for errors. */
  name: string
  /** All that is fixed once the process has been started. */
  key: string
  /** The name of the processes, for the log. */
  group: string
  /** What the script starts with, without the id of its process. */
  data: object
  /** Scripts of one process. @default Infinity */
  maxScripts: number | undefined
  /** Processes without scripts that are kept, or started ahead. */
  spares: number
  /** Starts the relay of a process with this id. @throws errors of its launcher, and of `new Worker` */
  open(id: number): ThreadMember
}

interface ScriptProcess {
  readonly id: number
  /** True once its relay has reported its end: it gets no script any more. */
  hasEnded: boolean
  readonly relay: ThreadMember
  readonly scripts: Set<ThreadMember>
}

/** Processes that are alike. */
interface Pool {
  request: ScriptRequest
  readonly processes: Set<ScriptProcess>
  timer: NodeJS.Timeout | undefined
  /** Processes that have ended by themselves since a script was started. */
  failures: number
}

export class ScriptProcesses {
  readonly #log: HostLog
  readonly #threads: SharedThreads
  readonly #pools = new Map<string, Pool>()
  readonly #ending = new Set<Promise<void>>()
  #lastId = 0
  #isClosed = false

  constructor(log: HostLog, threads: SharedThreads) {
    this.#log = log
    this.#threads = threads
  }

  /** Starts a script in a process that has room, or in a new one. @throws errors of `request.open` */
  open(request: ScriptRequest): ThreadMember {
    const { key, name, data, maxScripts = Infinity } = request
    const pool = this.#pools.get(key) ?? { request, processes: new Set(), timer: undefined, failures: 0 }
    // The last one was used most recently.
    this.#pools.delete(key)
    this.#pools.set(key, pool)
    pool.request = request
    this.#dropOldest()
    // The fullest one first: fewer processes are needed, and the others can end.
    const [found] = [...pool.processes]
      .filter(each => hasRoom(each, maxScripts))
      .toSorted((a, b) => b.scripts.size - a.scripts.size)
    let chosen: ScriptProcess
    try {
      chosen = found ?? this.#start(pool)
    } catch (error) {
      this.#forget(pool)
      throw error
    }
    const { scripts, relay, id } = chosen
    pool.failures = 0
    const script = this.#threads.openBeside(relay, name, { ...data, scriptHost: id })
    // It might have died already, and the host does not know yet.
    script.wasSpare = found !== undefined
    scripts.add(script)
    script.once('exit', () => {
      scripts.delete(script)
      this.#trim(pool)
    })
    this.#refill(pool)
    return script
  }

  /** Number of processes without a script. */
  get count(): number {
    return [...this.#pools.values()].flatMap(pool => getEmpty(pool)).length
  }

  /** Ends all processes, whose scripts have ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const pool of this.#pools.values()) {
      clearTimeout(pool.timer)
      for (const each of pool.processes) this.#end(pool, each)
    }
    this.#pools.clear()
    await Promise.all(this.#ending)
  }

  #start(pool: Pool): ScriptProcess {
    const id = ++this.#lastId
    const relay = pool.request.open(id)
    // Its scripts keep the host's process alive.
    relay.unref()
    const started: ScriptProcess = { id, hasEnded: false, relay, scripts: new Set() }
    pool.processes.add(started)
    const lines = throttleLines(this.#log, { worker: 'scripts', label: pool.request.group })
    pipeToLog(relay, lines)
    // Its scripts report why it has failed.
    relay.on('error', () => (started.hasEnded = true))
    relay.on('message', report => (started.hasEnded ||= Object(report).state === 'failed'))
    relay.once('exit', () => {
      lines.flush()
      if (!pool.processes.delete(started)) return
      pool.failures++
      this.#refill(pool)
      this.#forget(pool)
    })
    return started
  }

  /** Ends processes without scripts beyond the spares. */
  #trim(pool: Pool): void {
    for (const each of getEmpty(pool).slice(pool.request.spares)) this.#end(pool, each)
    this.#forget(pool)
  }

  #dropOldest(): void {
    for (const [key, pool] of [...this.#pools].slice(0, -1)) {
      if (this.#pools.size <= MAX_POOLS) return
      if (getEmpty(pool).length < pool.processes.size) continue
      clearTimeout(pool.timer)
      this.#pools.delete(key)
      for (const each of pool.processes) this.#end(pool, each)
    }
  }

  #forget(pool: Pool): void {
    if (pool.processes.size > 0 || pool.timer !== undefined) return
    if (this.#pools.get(pool.request.key) === pool) this.#pools.delete(pool.request.key)
  }

  #end(pool: Pool, ended: ScriptProcess): void {
    const { relay } = ended
    pool.processes.delete(ended)
    // The host must not exit before its processes have.
    relay.ref()
    const exited = relay.terminate().finally(() => this.#ending.delete(exited))
    this.#ending.add(exited)
  }

  /** Starts spares that are missing, one after the other. */
  #refill(pool: Pool): void {
    const { request, failures } = pool
    if (this.#isClosed || pool.timer !== undefined || !this.#lacksSpares(pool)) return
    const delay = failures === 0 ? REFILL_DELAY_MS : getBackoff(failures - 1, RETRY_DELAY)
    pool.timer = setTimeout(() => {
      pool.timer = undefined
      if (!this.#lacksSpares(pool)) return
      try {
        this.#start(pool)
      } catch (error) {
        pool.failures++
        this.#log.warn({ err: error, scripts: request.group }, 'A process for scripts could not be started')
      }
      this.#refill(pool)
    }, delay).unref()
  }

  /** A process that has room counts as long as it is not needed for more scripts than it has now. */
  #lacksSpares({ processes, request: { spares, maxScripts = Infinity } }: Pool): boolean {
    return [...processes].filter(each => hasRoom(each, maxScripts)).length < spares
  }
}

const hasRoom = ({ hasEnded, scripts }: ScriptProcess, maxScripts: number): boolean =>
  !hasEnded && scripts.size < maxScripts

const getEmpty = ({ processes }: Pool): ScriptProcess[] => [...processes].filter(({ scripts }) => scripts.size === 0)
