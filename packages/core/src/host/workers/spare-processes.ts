// Processes that are started before it is known whose they are (docs/adr/0035-start-of-a-process.md). Each is used once.
import { statSync } from 'node:fs'
import { BusError, type ReportedError } from '@sallyport/protocol/internal/errors'
import { getBackoff } from '@sallyport/protocol/internal/util'
import type { HostLog } from '../reporting/log.js'
import type { ThreadMember } from './thread-member.js'

/** After a spare was taken: its frontend starts first. */
const REFILL_DELAY_MS = 100
/** Before the next spare if one has ended by itself. */
const RETRY_DELAY = { min: 1000, max: 60_000 }
/** A spare that ended later than this has not failed to start. */
const STABLE_MS = 10_000
/** Pools. The one from which none was taken for the longest time makes room for another. */
const MAX_POOLS = 16

interface Paths {
  readonly directories: readonly string[]
  readonly files: readonly string[]
}

export interface SpareRequest {
  /** All that is fixed once the process has been started. */
  key: string
  /** What the process reads: a wall keeps what was there when the process started. */
  reads: Paths
  /** Number of spares to keep. */
  count: number
  /** Starts the relay of a spare. @throws errors of its launcher, and of `new Worker` */
  open(): ThreadMember
}

interface Spare {
  relay: ThreadMember
  identity: string
  /** Why it ends, though its process might not have exited yet. */
  cause: unknown
  /** Ends the spare's own listeners. */
  release(): void
}

/** Spares that are alike. */
interface Pool {
  request: SpareRequest
  readonly spares: Set<Spare>
  timer: NodeJS.Timeout | undefined
  /** Spares that have ended by themselves since one was taken. */
  failures: number
}

export class SpareProcesses {
  readonly #log: HostLog
  readonly #pools = new Map<string, Pool>()
  readonly #ending = new Set<Promise<void>>()
  #isClosed = false

  constructor(log: HostLog) {
    this.#log = log
  }

  /** Number of processes that wait for a frontend. */
  get count(): number {
    return [...this.#pools.values()].reduce((sum, { spares }) => sum + spares.size, 0)
  }

  /** Returns the relay of a spare, if there is one, and keeps `request.count` further ones from now on. */
  take(request: SpareRequest): ThreadMember | undefined {
    const { key, reads } = request
    const pool = this.#pools.get(key) ?? { request, spares: new Set(), timer: undefined, failures: 0 }
    // The last one was taken most recently.
    this.#pools.delete(key)
    this.#pools.set(key, pool)
    pool.request = request
    this.#dropOldest()
    const identity = getIdentity(reads)
    const all = [...pool.spares]
    const isStale = ({ identity: each, relay }: Spare): boolean => each !== identity || relay.sockets?.areOpen === false
    for (const stale of all.filter(isStale)) this.#end(pool, stale)
    const spare = all.find(each => pool.spares.has(each) && each.cause === undefined)
    if (spare) {
      pool.spares.delete(spare)
      pool.failures = 0
      spare.release()
      spare.relay.ref()
      spare.relay.wasSpare = true
    }
    this.#refill(pool)
    return spare?.relay
  }

  /** Ends all spares, of which no more are started. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const pool of this.#pools.values()) this.#drop(pool)
    this.#pools.clear()
    await Promise.all(this.#ending)
  }

  #dropOldest(): void {
    const [oldest] = this.#pools
    if (this.#pools.size <= MAX_POOLS || !oldest) return
    this.#pools.delete(oldest[0])
    this.#drop(oldest[1])
  }

  #drop(pool: Pool): void {
    clearTimeout(pool.timer)
    for (const spare of pool.spares) this.#end(pool, spare)
  }

  #end(pool: Pool, spare: Spare): void {
    pool.spares.delete(spare)
    spare.release()
    // An error of its start can come late.
    spare.relay.on('error', () => {})
    for (const output of [spare.relay.stdout, spare.relay.stderr]) output.resume()
    // The process of a host that closes must not exit before its spares have.
    spare.relay.ref()
    const ended = spare.relay.terminate().finally(() => this.#ending.delete(ended))
    this.#ending.add(ended)
  }

  /** Starts missing spares, one after the other. */
  #refill(pool: Pool): void {
    if (this.#isClosed || pool.timer !== undefined || pool.spares.size >= pool.request.count) return
    const { failures } = pool
    const delay = failures === 0 ? REFILL_DELAY_MS : getBackoff(failures - 1, RETRY_DELAY)
    pool.timer = setTimeout(() => {
      pool.timer = undefined
      this.#add(pool)
      this.#refill(pool)
    }, delay).unref()
  }

  #add(pool: Pool): void {
    // Before the start: files that are replaced meanwhile make another identity.
    const identity = getIdentity(pool.request.reads)
    let relay: ThreadMember
    try {
      relay = pool.request.open()
    } catch (error) {
      return this.#failed(pool, error)
    }
    relay.unref()
    const startedAt = performance.now()
    const onMessage = (message: unknown): void => {
      const { error } = Object(message) as { error?: ReportedError }
      spare.cause ??= error
    }
    const onError = (error: unknown): void => void (spare.cause ??= error)
    // Nobody has started its code yet. What is printed and not read would keep its relay from ending.
    const discard = (): void => {}
    for (const output of [relay.stdout, relay.stderr]) output.on('data', discard)
    const onExit = (code: number): void => {
      pool.spares.delete(spare)
      if (performance.now() - startedAt > STABLE_MS) pool.failures = 0
      this.#failed(pool, spare.cause ?? new BusError('Crashed', `It exited with code ${code}`))
      this.#refill(pool)
    }
    const spare: Spare = {
      relay,
      identity,
      cause: undefined,
      release() {
        relay.off('message', onMessage).off('error', onError).off('exit', onExit)
        for (const output of [relay.stdout, relay.stderr]) output.off('data', discard)
      },
    }
    relay.on('message', onMessage).on('error', onError).on('exit', onExit)
    pool.spares.add(spare)
  }

  #failed(pool: Pool, error: unknown): void {
    pool.failures++
    if (!this.#isClosed) this.#log.warn({ err: error }, 'A spare process ended before it was used. Another one follows')
  }
}

/** Returns what tells a file or directory from one that has replaced it. */
const getIdentity = ({ directories, files }: Paths): string =>
  [...directories, ...files]
    .map(path => {
      const stats = statSync(path, { throwIfNoEntry: false, bigint: true })
      return stats ? `${stats.dev}:${stats.ino}` : ''
    })
    .join()
