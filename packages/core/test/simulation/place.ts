// Where code of the bus runs: what is a thread outside of a simulation. It can die, and with it its ends of all links; or stall.
import type { SimulatedPort } from './port.js'

export class Place {
  readonly name: string
  readonly ports = new Set<SimulatedPort>()
  dead = false
  stalledUntil = 0

  constructor(name: string) {
    this.name = name
  }

  /** At once, at whatever step it is: nothing that its code does from now on leaves it. */
  die(): void {
    if (this.dead) return
    this.dead = true
    for (const port of [...this.ports]) port.cut()
    this.ports.clear()
  }
}
