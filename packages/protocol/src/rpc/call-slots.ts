// Calls in flight by id, for both peers: those that a peer runs, and those that it made. `#call-slots` is this file, or
// `call-slots.browser.ts` for browsers.
import type { RequestId } from '../wire/messages.js'

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
  /** `id & mask` is the slot of an id. Every safe integer has one, including negative ones and those beyond 32 bits. */
  #mask = 0
  #taken = 0
  readonly #others = new Map<RequestId, Call>()
  /** Read-only outside. */
  size = 0

  /** True if the slot of this id is free. At least half of the slots are, so one of the next ids has a free one. */
  isFree(id: number): boolean {
    return this.#slots[id & this.#mask] === undefined
  }

  get(id: RequestId): Call | undefined {
    if (typeof id === 'number') {
      const call = this.#slots[id & this.#mask]
      if (call?.id === id) return call
    }
    return this.#others.size === 0 ? undefined : this.#others.get(id)
  }

  has(id: RequestId): boolean {
    return this.get(id) !== undefined
  }

  /** Adds a call whose id is `id`. No call of that id may be in here yet. */
  set(id: RequestId, call: Call): void {
    this.size++
    if (typeof id !== 'number') return void this.#others.set(id, call)
    if (this.#taken * 2 >= this.#slots.length - 1) this.#grow()
    const slot = id & this.#mask
    if (this.#slots[slot] !== undefined) return void this.#others.set(id, call)
    this.#slots[slot] = call
    this.#taken++
  }

  take(id: RequestId): Call | undefined {
    if (typeof id === 'number') {
      const slot = id & this.#mask
      const call = this.#slots[slot]
      if (call?.id === id) {
        this.#slots[slot] = undefined
        this.#taken--
        this.size--
        return call
      }
    }
    if (this.#others.size === 0) return undefined
    const call = this.#others.get(id)
    if (this.#others.delete(id)) this.size--
    return call
  }

  all(): Call[] {
    return [...this.#slots.filter(call => call !== undefined), ...this.#others.values()]
  }

  takeAll(): Call[] {
    const calls = this.all()
    this.#slots.fill(undefined)
    this.#taken = this.size = 0
    this.#others.clear()
    return calls
  }

  /** Doubles the slots, or creates the first ones. Calls in different slots stay in different slots. */
  #grow(): void {
    const calls = this.#slots
    this.#slots = createSlots(Math.max(MIN_SLOTS, calls.length * 2))
    this.#mask = this.#slots.length - 1
    for (const call of calls) if (call !== undefined) this.#slots[(call.id as number) & this.#mask] = call
  }
}

const createSlots = (length: number): undefined[] => Array.from({ length }, () => undefined)
