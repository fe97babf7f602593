// The ways of one client to several cores of the same bus. A call takes the one with the fewest calls under way, in turn where
// they are alike. What lasts, listeners and events, stays with one of them, the client's home: another takes its place.
import { type BusError, isBusError, type Link } from '@sallyport/protocol'
import { channelsAmong } from './arguments.js'
import type { Connection } from './connection.js'
import { answersOver, type ExposedAnswers } from './exposed-functions.js'

/** Milliseconds for which one that has refused a call as closed gets none: a core that closes, lets those end that it has. */
const REST_MS = 2000

export class ConnectionPool {
  #all: readonly Connection[]
  #home: Connection
  readonly #moved: (home: Connection) => void
  /** Until when. */
  readonly #resting = new Map<Connection, number>()
  #turn = 0

  /** @param moved this one is the home now */
  constructor(home: Connection, moved: (home: Connection) => void) {
    this.#home = home
    this.#all = [home]
    this.#moved = moved
    this.#watch(home)
  }

  add(connect: (answers: ExposedAnswers) => Connection): void {
    const lane = connect(answersOver(() => lane))
    lane.holdsListeners = false
    this.#all = [...this.#all, lane]
    this.#watch(lane)
    this.#stayHome()
  }

  /** One for a call with these arguments; `undefined` where none is left. A channel that is open already stays with its core. */
  pick(args: unknown): Connection | undefined {
    const channels = channelsAmong(args)
    if (channels.length > 0) {
      for (const lane of this.#all) if (lane.channels.unused(channels).length < channels.length) return lane
    }
    return this.#idlest(lane => !lane.isGone && !this.#rests(lane)) ?? this.#idlest(lane => !lane.isGone)
  }

  /** What a call of this lane rejects with, and what is to be learnt from it. */
  hears(lane: Connection, reject: (error: BusError) => void): (error: BusError) => void {
    return error => {
      if (isBusError(error, 'Disconnected')) this.#resting.set(lane, performance.now() + REST_MS)
      reject(error)
    }
  }

  endLane(link: Link, why: BusError | undefined): void {
    for (const lane of this.#all) if (lane.isOver(link)) lane.end(why)
  }

  end(why: BusError | undefined): void {
    for (const lane of new Set([this.#home, ...this.#all])) lane.end(why)
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(lane => lane.close()))
  }

  #idlest(takes: (lane: Connection) => boolean): Connection | undefined {
    const turn = this.#turn++
    let best: Connection | undefined
    for (let at = 0; at < this.#all.length; at++) {
      const lane = this.#all[(turn + at) % this.#all.length]!
      if (takes(lane) && (!best || lane.pending.size < best.pending.size)) best = lane
    }
    return best
  }

  #rests(lane: Connection): boolean {
    const until = this.#resting.get(lane)
    if (until === undefined) return false
    if (performance.now() < until) return true
    this.#resting.delete(lane)
    return false
  }

  #watch(lane: Connection): void {
    void lane.closed.then(() => {
      this.#all = this.#all.filter(other => other !== lane)
      this.#resting.delete(lane)
      this.#stayHome()
    })
  }

  #stayHome(): void {
    const next = this.#home.isGone ? this.pick(undefined) : undefined
    if (!next) return
    this.#home = next
    next.holdsListeners = true
    this.#moved(next)
  }
}
