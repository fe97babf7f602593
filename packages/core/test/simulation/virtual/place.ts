// A place where code of the bus runs, like a thread. It can die together with its ends of all links, compute, or be held: then it takes nothing.
/** An end of a link that a place has. */
interface LinkEnd {
  readonly peer: { readonly place: Place }
  cut(): void
}

/** A time in which a place takes nothing, because its code computes, or because it is held. */
interface Busy {
  readonly from: number
  until: number
  readonly computes: boolean
  /** Its event loop does not sleep meanwhile. */
  readonly isActive: boolean
}

export class Place {
  readonly name: string
  readonly ports = new Set<LinkEnd>()
  dead = false
  /** When it goes on, it takes messages before timers: Node does either, by where in its loop it was busy. */
  takesTimersLast = false
  /** The thread or process that it shares with others: what one of them computes holds all of them. */
  within: Place | undefined
  readonly #busy: Busy[] = []
  #readsUntil = 0

  constructor(name: string) {
    this.name = name
  }

  /** It takes nothing until then. */
  get stalledUntil(): number {
    return this.within?.stalledUntil ?? this.#busy.at(-1)?.until ?? 0
  }

  /** Something arrives then: the event loop reads it before it goes round twice. */
  reads(at: number): void {
    if (this.within) this.within.reads(at)
    else this.#readsUntil = Math.max(this.#readsUntil, at)
  }

  /** When it has read what was sent to it so far. */
  get readsUntil(): number {
    return this.within?.readsUntil ?? this.#readsUntil
  }

  /** Says what comes first after the time in which it takes nothing, unless that has begun: timers keep their order. */
  goesOn(now: number, takesTimersLast: boolean): void {
    if (this.stalledUntil <= now) this.takesTimersLast = takesTimersLast
  }

  /** Runs code until a time, and takes nothing meanwhile. */
  compute(now: number, until: number): void {
    this.#add({ from: now, until, computes: true, isActive: true })
  }

  /**
   * Takes nothing until a time. Code that computes goes on afterwards.
   *
   * @param isActive - its event loop did not sleep when it began, as that of a thread without a processor
   */
  stall(now: number, until: number, isActive = false): void {
    if (this.within) return this.within.stall(now, until, isActive)
    const last = this.#busy.at(-1)
    if (!last?.computes || last.until <= now) return this.#add({ from: now, until, computes: false, isActive })
    // It has not begun if it is held already.
    const from = Math.max(now, last.from)
    const rest = last.until - from
    last.until = from
    this.#add({ from, until, computes: false, isActive: true })
    const goesOn = Math.max(from, until)
    this.#add({ from: goesOn, until: goesOn + rest, computes: true, isActive: true })
  }

  /** Milliseconds for which it has computed so far. */
  getComputed(now: number): number {
    return this.#sum(now, ({ computes }) => computes)
  }

  /** Dies immediately: later effects of its code stay within the place. */
  die(): void {
    if (this.dead) return
    this.dead = true
    for (const port of [...this.ports]) port.cut()
    this.ports.clear()
  }

  #add(busy: Busy): void {
    if (this.within) return this.within.#add(busy)
    const from = Math.max(busy.from, this.stalledUntil)
    if (busy.until > from) this.#busy.push({ ...busy, from })
  }

  #sum(now: number, counts: (busy: Busy) => boolean): number {
    if (this.within) return this.within.#sum(now, counts)
    return this.#busy.reduce(
      (sum, each) => sum + (counts(each) ? Math.max(0, Math.min(now, each.until) - each.from) : 0),
      0,
    )
  }
}
