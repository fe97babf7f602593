// Calls by id, in slots that are used again, for whoever makes them and whoever runs them. A Map takes new memory as entries
// come and go, and the old memory keeps what is long over, some 300 bytes a call, alive for the collector to copy: that cost
// a third of the throughput with 64 in flight. Texts, and ids whose slot is taken, do share a Map.
import type { RequestId } from '../message/message.js'

const MIN_SLOTS = 64

export class CallSlots<Call extends { readonly id: RequestId | undefined }> {
  /** At least twice as many as there are calls in them, a power of two. */
  #slots: (Call | undefined)[] = emptySlots(MIN_SLOTS)
  #taken = 0
  readonly #others = new Map<RequestId, Call>()

  get size(): number {
    return this.#taken + this.#others.size
  }

  /** Whether a call of this id would have a slot for itself. At least half of the slots are free: one of the next ids has. */
  isFree(id: number): boolean {
    return this.#slots[this.#slotOf(id)] === undefined
  }

  get(id: RequestId): Call | undefined {
    if (typeof id === 'number') {
      const call = this.#slots[this.#slotOf(id)]
      if (call?.id === id) return call
    }
    return this.#others.size === 0 ? undefined : this.#others.get(id)
  }

  /** `call.id` is `id`, and is not in here. */
  add(id: RequestId, call: Call): void {
    if (typeof id !== 'number') return void this.#others.set(id, call)
    if (this.#taken * 2 >= this.#slots.length) this.#grow()
    const slot = this.#slotOf(id)
    if (this.#slots[slot] !== undefined) return void this.#others.set(id, call)
    this.#slots[slot] = call
    this.#taken++
  }

  delete(id: RequestId): void {
    if (typeof id === 'number') {
      const slot = this.#slotOf(id)
      if (this.#slots[slot]?.id === id) {
        this.#slots[slot] = undefined
        this.#taken--
        return
      }
    }
    this.#others.delete(id)
  }

  all(): Call[] {
    return [...this.#slots.filter(call => call !== undefined), ...this.#others.values()]
  }

  /** Takes all calls out. */
  takeAll(): Call[] {
    const calls = this.all()
    this.#slots.fill(undefined)
    this.#taken = 0
    this.#others.clear()
    return calls
  }

  /** Any safe integer has one: negative ones, and those beyond 32 bits. */
  #slotOf(id: number): number {
    return id & (this.#slots.length - 1)
  }

  /** Two calls that had a slot each have one each. */
  #grow(): void {
    const calls = this.#slots
    this.#slots = emptySlots(calls.length * 2)
    for (const call of calls) if (call !== undefined) this.#slots[this.#slotOf(call.id as number)] = call
  }
}

const emptySlots = (length: number): undefined[] => Array.from({ length }, () => undefined)
