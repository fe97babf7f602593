// What all parts of one simulation share: its seed's random choices, its time, what was found wrong, and the trace.
import { Random } from '../fuzz/random.js'
import { Clock } from './clock.js'

export class Simulation {
  readonly random: Random
  readonly clock = new Clock()
  readonly lines: string[] | undefined
  /** What the model does not allow. */
  readonly wrong: string[] = []
  readonly #window: number

  /** @param window bytes that may be under way to one end of a link */
  constructor(seed: number, { traced = false, window = 0 } = {}) {
    this.random = new Random(seed)
    this.lines = traced ? [] : undefined
    this.#window = window
  }

  /** The text is made where somebody reads it. */
  trace(line: () => string): void {
    this.lines?.push(`${this.clock.now.toFixed(3).padStart(10)}  ${line()}`)
  }

  fault(what: string): void {
    this.wrong.push(what)
    this.trace(() => `WRONG: ${what}`)
  }

  /** A link sends, while so many bytes are under way to its peer. */
  sentWith(underWay: number): void {
    if (underWay >= this.#window) this.fault(`a link sends beyond its credit: ${underWay} bytes are under way`)
  }
}
