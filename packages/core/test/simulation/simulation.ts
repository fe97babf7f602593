// Shared by all parts of one simulation: random choices of its seed, its time, the violations found, and the trace.
import { Random } from '../fuzz/random.js'
import { BOUNDS } from './bounds.js'
import type { Outcomes } from './holds/outcomes.js'
import { Clock } from './virtual/clock.js'

export class Simulation {
  readonly random: Random
  readonly clock = new Clock()
  readonly lines: string[] | undefined
  /** Violations of the model. */
  readonly wrong: string[] = []
  readonly outcomes: Outcomes | undefined

  /** @param outcomes - records them, and compares them with those of another run */
  constructor(seed: number, { traced = false, outcomes = undefined as Outcomes | undefined } = {}) {
    this.random = new Random(seed)
    this.outcomes = outcomes
    this.lines = traced ? [] : undefined
  }

  /** Adds a line to the trace. The text is created only if there is a trace. */
  trace(line: () => string): void {
    this.lines?.push(`${this.clock.now.toFixed(3).padStart(10)}  ${line()}`)
  }

  fault(what: string): void {
    this.wrong.push(what)
    this.trace(() => `WRONG: ${what}`)
  }

  /** @param name - of what has this outcome, if it is to be compared */
  settled(name: string | undefined, outcome: string): void {
    const wrong = this.outcomes?.settled(name, outcome)
    if (wrong !== undefined) this.fault(wrong)
  }

  /** Checks the window of a link that sends with this many bytes in flight. */
  sentWith(inFlight: number): void {
    if (inFlight >= BOUNDS.creditWindow) this.fault(`a link sends beyond its credit: ${inFlight} bytes are in flight`)
  }
}
