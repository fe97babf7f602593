// Channels and streams in the model: their messages arrive in order, without gaps or duplicates, not before they were sent, and no
// more are in flight than the window allows.
import type { Ask } from './ask.js'
import type { Simulation } from '../simulation.js'

/** A channel or stream of one call. */
export class Stream {
  /** Messages that the handler has sent, with or without room. */
  sent = 0
  /** Messages that were rejected. */
  refused = 0
  /** Messages for which there was room. */
  resolved = 0
  /** Messages that the receiver has read. */
  taken = 0
  ended = 0
  /** The receiver has left, or never reads: not all messages must arrive. */
  leaves = false
  /** The handler, or the source, has sent all its messages. */
  complete = false
  /** Of a stream that a frontend passes to a command. */
  source: 'open' | 'closed' | undefined
  readonly ask: Ask
  readonly #simulation: Simulation
  readonly #window: number

  constructor(simulation: Simulation, ask: Ask, window: number) {
    this.#simulation = simulation
    this.ask = ask
    this.#window = window
  }

  room(): void {
    this.resolved++
    const inFlight = this.resolved - this.taken
    if (inFlight > this.#window && !this.ask.isOrphan()) this.#wrong(`${inFlight} messages are in flight`)
  }

  take(message: unknown): void {
    const { token, index } = message as { token: number; index: number }
    if (token !== this.ask.token) return this.#wrong(`got a message of call ${token}`)
    if (index !== this.taken) this.#wrong(`got message ${index} in the place of ${this.taken}`)
    if (index >= this.sent) this.#wrong(`got message ${index}, of ${this.sent} that were sent`)
    if (this.ended > 0) this.#wrong(`got message ${index} after its end`)
    this.taken++
  }

  end(): void {
    if (++this.ended > 1) this.#wrong('ended twice')
  }

  /** Checks the final state once everything has settled. */
  checkAtRest(): void {
    const { ask } = this
    const [outcome] = ask.outcomes
    if (this.source === 'open' && outcome !== undefined && !ask.isOrphan()) this.#wrong('never closed its source')
    if (ask.isOrphan() || this.leaves || ask.ran === 0) return
    if (this.ended === 0 && !ask.endless && !this.source) this.#wrong('never ended')
    if (ask.epoch?.ended || !this.complete || outcome !== 'ok') return
    if (this.taken !== this.sent - this.refused)
      this.#wrong(`got ${this.taken} messages of ${this.sent}, less ${this.refused}`)
  }

  #wrong(what: string): void {
    this.#simulation.fault(`the channel of ${String(this.ask)} ${what}`)
  }
}
