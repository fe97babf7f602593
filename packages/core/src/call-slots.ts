// What runs, by the id that its caller chose, in slots that are used again. A Map takes new memory as entries come and go, and
// its old memory keeps what is long over alive for the collector to copy. Ids that want the same slot, and texts, do share a
// Map: whoever chooses his ids so has its price, and no more.
import type { RequestId } from '@sallyport/protocol'

const MIN_SLOTS = 64

export class CallSlots<Call extends { readonly id: RequestId | undefined }> {
  /** At least twice as many as there are calls in them, a power of two. */
  #slots: (Call | undefined)[] = emptySlots(MIN_SLOTS)
  #taken = 0
  readonly #others = new Map<RequestId, Call>()

  get size(): number {
    return this.#taken + this.#others.size
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

  /** Takes all calls out. */
  takeAll(): Call[] {
    const calls = [...this.#slots.filter(call => call !== undefined), ...this.#others.values()]
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
