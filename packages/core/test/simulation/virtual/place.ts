// A place where code of the bus runs, like a thread. It can die together with its ends of all links, or stall.
/** An end of a link that a place has. */
interface LinkEnd {
  readonly peer: { readonly place: Place }
  cut(): void
}

export class Place {
  readonly name: string
  readonly ports = new Set<LinkEnd>()
  dead = false
  stalledUntil = 0
  /** When it goes on, it takes messages before timers: Node does either, by where in its loop it was busy. */
  takesTimersLast = false
  /** When it has read what has arrived in its sockets so far. */
  readsUntil = 0
  #computed = 0
  #computesFrom = 0
  #computesUntil = 0

  constructor(name: string) {
    this.name = name
  }

  /** Runs code until a time, and takes nothing meanwhile. */
  compute(now: number, until: number): void {
    this.#computed = this.getComputed(now)
    this.#computesFrom = now
    this.#computesUntil = until
    this.stall(until)
  }

  /** Takes nothing until a time. */
  stall(until: number): void {
    this.stalledUntil = Math.max(this.stalledUntil, until)
  }

  /** Milliseconds for which it has computed so far. */
  getComputed(now: number): number {
    return this.#computed + Math.max(0, Math.min(now, this.#computesUntil) - this.#computesFrom)
  }

  /** Dies immediately: later effects of its code stay within the place. */
  die(): void {
    if (this.dead) return
    this.dead = true
    for (const port of [...this.ports]) port.cut()
    this.ports.clear()
  }
}
