// Calls in flight by id, for both peers: `CallSlots` finds the calls that a peer runs, `PendingCalls` settles those that it made.
import { BusError, describeCommand, fromErrorObject } from '../errors/bus-error.js'
import { type CallOptions, watchDeadline } from '../message/call-options.js'
import type { RequestId, ResponseMessage } from '../message/message.js'
import { MAX_IN_FLIGHT } from '../wire/limits.js'

const MIN_SLOTS = 64

/**
 * Calls by id, in an array of slots that are used again. A Map allocates as entries come and go, and its old tables keep settled
 * calls alive for the garbage collector to copy: that cost a third of the throughput with 64 in flight. Strings, and numbers
 * whose slot is taken, share a Map.
 */
export class CallSlots<Call extends { readonly id: RequestId | undefined }> {
  /** A power of two, at least twice the number of calls in the slots. */
  #slots: (Call | undefined)[] = createSlots(MIN_SLOTS)
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
  add(id: RequestId, call: Call): void {
    if (typeof id !== 'number') return void this.#others.set(id, call)
    if (this.#taken * 2 >= this.#slots.length) this.#grow()
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

  /** Removes all calls and returns them. */
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

  /** Doubles the slots. Calls in different slots stay in different slots. */
  #grow(): void {
    const calls = this.#slots
    this.#slots = createSlots(calls.length * 2)
    for (const call of calls) if (call !== undefined) this.#slots[this.#getSlot(call.id as number)] = call
  }
}

const createSlots = (length: number): undefined[] => Array.from({ length }, () => undefined)

interface PendingCall {
  readonly id: number
  resolve(result: unknown): void
  reject(error: BusError): void
  stopWatching: (() => void) | undefined
}

/**
 * Calls that wait for a response. Each is settled exactly once: by its response, its deadline, its signal or the end of the
 * link, whichever comes first. Late responses are ignored.
 */
export class PendingCalls {
  readonly #calls = new CallSlots<PendingCall>()
  readonly #onAbandon: (id: number) => unknown
  readonly #window: number
  #nextId = 1

  /**
   * @param onAbandon called with the id of each call that its caller abandons; returns true if that call was never sent
   * @param window number of calls that can be in flight at a time
   */
  constructor(onAbandon: (id: number) => unknown, window: number = MAX_IN_FLIGHT) {
    this.#onAbandon = onAbandon
    this.#window = window
  }

  get size(): number {
    return this.#calls.size
  }

  /** True if as many calls as the window allows are in flight. @param unsent number of pending calls that are not sent yet */
  isFull(unsent = 0): boolean {
    return this.#calls.size - unsent >= this.#window
  }

  /**
   * Returns an id for the next call. Take it before the arguments are encoded, because their `toJSON` can make calls too. Ids
   * grow, and skip the slots of long-running calls.
   */
  takeId(): number {
    while (!this.#calls.isFree(this.#nextId)) this.#nextId++
    return this.#nextId++
  }

  /** @param defaultTimeout milliseconds for a call whose options have no timeout */
  add(
    id: number,
    method: string,
    resolve: PendingCall['resolve'],
    reject: PendingCall['reject'],
    options: CallOptions | undefined,
    defaultTimeout?: number,
  ): void {
    const call: PendingCall = { id, resolve, reject, stopWatching: undefined }
    this.#calls.add(id, call)
    const signal = options?.signal
    const timeout = options?.timeout ?? defaultTimeout
    if (signal === undefined && timeout === undefined) return
    call.stopWatching = watchDeadline(describeCommand(method), { signal, timeout }, error => this.abandon(id, error))
  }

  /** True if a call had this id. The call may be settled: a response can come late, or twice. */
  hasGiven(id: RequestId | null): boolean {
    return typeof id === 'number' && id > 0 && id < this.#nextId
  }

  /** Settles the call that a response names. Returns false if no call waits for that response. */
  settle(response: ResponseMessage): boolean {
    const call = typeof response.id === 'number' ? this.#take(response.id) : undefined
    if (!call) return false
    if ('result' in response) call.resolve(response.result)
    else call.reject(fromErrorObject(response.error))
    return true
  }

  /** Rejects a call whose caller no longer waits. Does nothing if the call is settled. */
  abandon(id: number, error: BusError): void {
    const call = this.#take(id)
    if (!call) return
    const isUnsent = this.#onAbandon(id) === true
    const { reason, message, cause } = error
    call.reject(isUnsent ? new BusError(reason, message, { cause, data: { delivered: 'no' } }) : error)
  }

  rejectAll(createError: (id: number) => BusError): void {
    for (const call of this.#calls.takeAll().sort((a, b) => a.id - b.id)) {
      call.stopWatching?.()
      call.reject(createError(call.id))
    }
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#calls.get(id)
    if (!call) return undefined
    this.#calls.delete(id)
    call.stopWatching?.()
    return call
  }
}
