// The calls in flight, by id, in slots that are used again. With a Map, which takes new memory as entries come and go, the
// old memory kept some 300 bytes a call alive for the collector to copy: a third of the throughput with 64 in flight.

/** At least twice as many slots as calls, a power of two. */
const MIN_SLOTS = 64

const emptySlots = (count: number): undefined[] => Array.from({ length: count }, () => undefined)

export class CallsInFlight<Call extends { readonly id: number }> {
  #slots: (Call | undefined)[] = emptySlots(MIN_SLOTS)
  #nextId = 1
  #size = 0

  get size(): number {
    return this.#size
  }

  /** An id for the next call. Ids grow, and pass over the slots of those that take long. */
  takeId(): number {
    while (this.#size * 2 >= this.#slots.length) this.#grow()
    while (this.#slots[this.#slotOf(this.#nextId)] !== undefined) this.#nextId++
    return this.#nextId++
  }

  add(call: Call): void {
    // Between its id and itself others may have come, from the `toJSON` of its arguments.
    while (this.#slots[this.#slotOf(call.id)] !== undefined) this.#grow()
    this.#slots[this.#slotOf(call.id)] = call
    this.#size++
  }

  /** Takes the call out, where it is there. */
  take(id: number): Call | undefined {
    const slot = this.#slotOf(id)
    const call = this.#slots[slot]
    if (call === undefined || call.id !== id) return undefined
    this.#slots[slot] = undefined
    this.#size--
    return call
  }

  /** Takes all calls out, in the order of their ids. */
  takeAll(): Call[] {
    const calls = this.#slots.filter(call => call !== undefined).sort((a, b) => a.id - b.id)
    this.#slots.fill(undefined)
    this.#size = 0
    return calls
  }

  #slotOf(id: number): number {
    return id & (this.#slots.length - 1)
  }

  #grow(): void {
    const calls = this.#slots
    this.#slots = emptySlots(calls.length * 2)
    for (const call of calls) if (call !== undefined) this.#slots[this.#slotOf(call.id)] = call
  }
}
