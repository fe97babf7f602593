// Channels and streams in the model: their messages come in order, without gaps or doubles, no more than the handler has sent,
// and no more are under way than the window allows.
import type { Ask } from './ask.js'
import type { Simulation } from './simulation.js'

/** One channel, or one stream, of one call. */
export class Stream {
  /** What the handler has sent, whether there was room or not. */
  sent = 0
  /** For which there was none, not even to wait. */
  refused = 0
  /** For which there was room. */
  resolved = 0
  /** What the receiver has read. */
  taken = 0
  ended = 0
  /** It left, or nobody reads: not all that is sent must be taken. */
  leaves = false
  /** Its handler has sent all that it wanted to. */
  complete = false
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
    const underWay = this.resolved - this.taken
    if (underWay > this.#window && !this.ask.isOrphan()) this.#wrong(`${underWay} messages are under way`)
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

  /** Once nothing moves any more. */
  checkAtRest(): void {
    const { ask } = this
    const [outcome] = ask.outcomes
    if (ask.isOrphan() || this.leaves || ask.ran === 0) return
    if (this.ended === 0 && !ask.endless) this.#wrong('never ended')
    if (ask.epoch?.ended || !this.complete || outcome !== 'ok') return
    if (this.taken !== this.sent - this.refused)
      this.#wrong(`got ${this.taken} messages of ${this.sent}, less ${this.refused}`)
  }

  #wrong(what: string): void {
    this.#simulation.fault(`the channel of ${String(this.ask)} ${what}`)
  }
}
