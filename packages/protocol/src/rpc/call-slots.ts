// Calls in flight by id, for both peers: those that a peer runs, and those that it made. `#call-slots` is this file, or
// `call-slots.browser.ts` for browsers.
import type { RequestId } from '../message/message.js'

const MIN_SLOTS = 64
/** The slots before the first call: most sessions never make one. Shared, because it stays empty. */
const NO_SLOTS: undefined[] = [undefined]

/**
 * Calls by id, in an array of slots that are used again. A Map allocates as entries come and go, and its old tables keep settled
 * calls alive for the garbage collector to copy: that cost a third of the throughput with 64 in flight. Strings, and numbers
 * whose slot is taken, share a Map.
 */
export class CallSlots<Call extends { readonly id: RequestId | undefined }> {
  /** Their number is a power of two. From the first call on, at least half of them are free. */
  #slots: (Call | undefined)[] = NO_SLOTS
  #taken = 0
  readonly #others = new Map<RequestId, Call>()

  get size(): number {
    return this.#taken + this.#others.size
  }

  /** True if the slot of this id is free. At least half of the slots are, so one of the next ids has a free one. */
  isFree(id: number): boolean {
    return this.#slots[this.#getSlot(id)] === undefined
  }

  get(id: RequestId): Call | undefined {
    if (typeof id === 'number') {
      const call = this.#slots[this.#getSlot(id)]
      if (call?.id === id) return call
    }
    return this.#others.size === 0 ? undefined : this.#others.get(id)
  }

  /** Adds a call whose id is `id`. No call of that id may be in here yet. */
  set(id: RequestId, call: Call): void {
    if (typeof id !== 'number') return void this.#others.set(id, call)
    if (this.#taken * 2 >= this.#slots.length - 1) this.#grow()
    const slot = this.#getSlot(id)
    if (this.#slots[slot] !== undefined) return void this.#others.set(id, call)
    this.#slots[slot] = call
    this.#taken++
  }

  delete(id: RequestId): void {
    if (typeof id === 'number') {
      const slot = this.#getSlot(id)
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

  takeAll(): Call[] {
    const calls = this.all()
    this.#slots.fill(undefined)
    this.#taken = 0
    this.#others.clear()
    return calls
  }

  /** Every safe integer has a slot, including negative ones and those beyond 32 bits. */
  #getSlot(id: number): number {
    return id & (this.#slots.length - 1)
  }

  /** Doubles the slots, or creates the first ones. Calls in different slots stay in different slots. */
  #grow(): void {
    const calls = this.#slots
    this.#slots = createSlots(Math.max(MIN_SLOTS, calls.length * 2))
    for (const call of calls) if (call !== undefined) this.#slots[this.#getSlot(call.id as number)] = call
  }
}

const createSlots = (length: number): undefined[] => Array.from({ length }, () => undefined)
