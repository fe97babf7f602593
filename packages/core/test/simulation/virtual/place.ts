// A place where code of the bus runs, like a thread. It can die together with its ends of all links, or stall.
import type { SimulatedPort } from './port.js'

export class Place {
  readonly name: string
  readonly ports = new Set<SimulatedPort>()
  dead = false
  stalledUntil = 0

  constructor(name: string) {
    this.name = name
  }

  /** Dies immediately: later effects of its code stay within the place. */
  die(): void {
    if (this.dead) return
    this.dead = true
    for (const port of [...this.ports]) port.cut()
    this.ports.clear()
  }
}
