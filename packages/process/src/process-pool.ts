// Processes that are started ahead of their frontends (docs/adr/0008-start-up.md). One that a frontend takes is its own. One of
// scripts is shared: without scripts it ends, unless it is a spare. What a process reports is for the pool, until it is taken.
import { statSync } from 'node:fs'
import { later } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { getBackoff } from '@sallyport/protocol/internal/util'
import type { ProcessLog, ProcessMember } from './contract.js'

/** After a frontend or a script was started: it comes first. */
const REFILL_DELAY_MS = 100
/** Before the next process if one has ended by itself. */
const RETRY_DELAY = { min: 1000, max: 60_000 }
/** Kinds of processes. The one that was not used for the longest time makes room for another. */
const MAX_KINDS = 16

export interface PoolRequest {
  /** All that is fixed once the process has been started. */
  key: string
  /** Files and directories that the process reads: a wall keeps what was there when the process started. */
  reads: readonly string[]
  /** Processes with room that are kept, or started ahead. */
  spares: number
  /** Scripts of one process. @default Infinity */
  maxScripts?: number | undefined
  /** Starts the relay of a process. @throws errors of its launcher, and of `new Worker` */
  open(): ProcessMember
}

interface PooledProcess {
  readonly relay: ProcessMember
  readonly identity: string
  readonly scripts: Set<ProcessMember>
}

interface Kind {
  request: PoolRequest
  readonly processes: Set<PooledProcess>
  endWait: (() => void) | undefined
  /** Processes that have ended by themselves since one was used. */
  failures: number
}

export class ProcessPool {
  readonly #log: ProcessLog
  readonly #kinds = new Map<string, Kind>()
  /** All that have not exited and were not taken. */
  readonly #relays = new Set<ProcessMember>()
  #isDraining = false

  constructor(log: ProcessLog) {
    this.#log = log
  }

  /** Number of processes that wait for a frontend or a script. */
  get count(): number {
    return [...this.#kinds.values()].reduce((sum, kind) => sum + getUnused(kind).length, 0)
  }

  /** Returns the relay of a spare for one frontend, if there is a spare, and keeps `request.spares` further ones from now on. */
  take(request: PoolRequest): ProcessMember | undefined {
    const kind = this.#use(request)
    const [spare] = kind.processes
    if (spare) {
      const { relay } = spare
      kind.processes.delete(spare)
      kind.failures = 0
      this.#relays.delete(relay)
      // Its end can be on its way, and is for the frontend.
      relay.removeAllListeners()
      if (relay.announceEnd) relay.once('exit', relay.announceEnd)
      relay.ref()
      relay.wasStartedAhead = true
    }
    this.#refill(kind)
    return spare?.relay
  }

  /**
   * Starts a script in a process that has room, or in a new one.
   *
   * @param start - starts it in the process of a relay
   * @throws errors of `request.open` and `start`
   */
  share(request: PoolRequest, start: (relay: ProcessMember) => ProcessMember): ProcessMember {
    const kind = this.#use(request)
    // The fullest one first: fewer processes are needed, and the others can end.
    const [found] = getFree(kind).toSorted((a, b) => b.scripts.size - a.scripts.size)
    const { scripts, relay } = found ?? this.#start(kind)
    kind.failures = 0
    const script = start(relay)
    script.wasStartedAhead = found !== undefined
    scripts.add(script)
    script.once('exit', () => {
      scripts.delete(script)
      this.#trim(kind)
    })
    this.#refill(kind)
    return script
  }

  /** Starts no more processes, and ends those without scripts. */
  drain(): void {
    this.#isDraining = true
    for (const kind of this.#kinds.values()) {
      kind.endWait?.()
      this.#trim(kind)
    }
  }

  async close(): Promise<void> {
    this.drain()
    await Promise.all(Array.from(this.#relays, end))
  }

  #use(request: PoolRequest): Kind {
    const { key, reads } = request
    const kind = this.#kinds.get(key) ?? { request, processes: new Set(), endWait: undefined, failures: 0 }
    this.#kinds.delete(key)
    this.#kinds.set(key, kind)
    kind.request = request
    this.#dropOldest()
    const identity = getIdentity(reads)
    for (const each of kind.processes)
      if (each.identity !== identity || each.relay.sockets?.areFree === false) this.#end(kind, each)
    return kind
  }

  #dropOldest(): void {
    for (const [key, kind] of [...this.#kinds].slice(0, -1)) {
      if (this.#kinds.size <= MAX_KINDS) return
      if (getUnused(kind).length < kind.processes.size) continue
      kind.endWait?.()
      this.#kinds.delete(key)
      for (const each of kind.processes) this.#end(kind, each)
    }
  }

  #start(kind: Kind): PooledProcess {
    const { request, processes } = kind
    // Before the start: files that are replaced meanwhile make another identity.
    const identity = getIdentity(request.reads)
    const relay = request.open()
    const started: PooledProcess = { relay, identity, scripts: new Set() }
    processes.add(started)
    this.#relays.add(relay)
    // The frontends and scripts keep the host's process alive.
    relay.unref()
    const lost = (error: unknown): void => {
      if (!processes.delete(started)) return
      relay.ref()
      // Its scripts report why it has failed.
      this.#failed(kind, started.scripts.size === 0 ? error : undefined)
      this.#refill(kind)
    }
    relay.on('message', report => {
      const { error }: { error?: unknown } = Object(report)
      if (error !== undefined) lost(error)
    })
    relay.on('error', lost)
    relay.on('exit', code => {
      this.#relays.delete(relay)
      lost(new BusError('Crashed', `The relay exited with code ${code}`))
    })
    return started
  }

  #failed(kind: Kind, err: unknown): void {
    kind.failures++
    if (err === undefined) return
    this.#log.warn({ err }, 'A spare process ended before it was used. Another one follows')
  }

  #trim(kind: Kind): void {
    for (const each of getUnused(kind).slice(this.#isDraining ? 0 : kind.request.spares)) this.#end(kind, each)
  }

  #end({ processes }: Kind, ended: PooledProcess): void {
    processes.delete(ended)
    void end(ended.relay)
  }

  #refill(kind: Kind): void {
    const { failures, endWait } = kind
    // A process that has room counts as long as it is not needed for more scripts than it has now.
    const isFull = (): boolean => this.#isDraining || getFree(kind).length >= kind.request.spares
    if (endWait !== undefined || isFull()) return
    const delay = failures === 0 ? REFILL_DELAY_MS : getBackoff(failures - 1, RETRY_DELAY)
    const refill = (): void => {
      kind.endWait = undefined
      if (isFull()) return
      try {
        this.#start(kind)
      } catch (error) {
        this.#failed(kind, error)
      }
      this.#refill(kind)
    }
    kind.endWait = later(delay, refill)
  }
}

/** The process of a host that closes must not exit before its processes have. */
async function end(relay: ProcessMember): Promise<void> {
  relay.ref()
  await relay.terminate()
}

const getFree = ({ processes, request: { maxScripts = Infinity } }: Kind): PooledProcess[] =>
  [...processes].filter(({ scripts }) => scripts.size < maxScripts)

const getUnused = ({ processes }: Kind): PooledProcess[] => [...processes].filter(({ scripts }) => scripts.size === 0)

/** Returns what tells a file or directory from one that has replaced it. */
const getIdentity = (paths: readonly string[]): string =>
  paths
    .map(path => {
      const stats = statSync(path, { throwIfNoEntry: false, bigint: true })
      return stats ? `${stats.dev}:${stats.ino}` : ''
    })
    .join()
