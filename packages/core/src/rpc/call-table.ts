// The calls of one frontend that are still running: their ids are unique, their number is bounded, and each ends once.
import {
  BusError,
  type CallHeaders,
  CallSlots,
  describeCommand,
  MAX_IN_FLIGHT,
  type RequestId,
  TIMEOUT_HEADER,
} from '@sallyport/protocol'
import { COUNT } from '../shared/metrics.js'
import { type Call, lasts } from './call.js'

// The deadlines that calls bring along over a network, where the caller may be gone and tell of nothing. Many share a timer: those
// that end in one step of the clock are kept together, and the timer stays as it is when a call ends before.

/** Milliseconds: so much later a call may end than it should. */
const STEP = 16
/** Of a timer in Node. */
const MAX_DELAY = 2 ** 31 - 1

export class Deadlines<Item> {
  readonly #expired: (item: Item) => void
  readonly #bySteps = new Map<number, Set<Item>>()
  readonly #stepOf = new Map<Item, number>()
  #timer: NodeJS.Timeout | undefined
  /** Of the timer. It may be earlier than the first that waits. */
  #next = Infinity

  constructor(expired: (item: Item) => void) {
    this.#expired = expired
  }

  add(item: Item, ms: number): void {
    const step = Math.ceil((performance.now() + ms) / STEP)
    const items = this.#bySteps.get(step)
    if (items) items.add(item)
    else this.#bySteps.set(step, new Set([item]))
    this.#stepOf.set(item, step)
    if (step < this.#next) this.#arm(step)
  }

  remove(item: Item): void {
    const step = this.#stepOf.get(item)
    if (step === undefined) return
    this.#stepOf.delete(item)
    const items = this.#bySteps.get(step)
    items?.delete(item)
    if (items?.size === 0) this.#bySteps.delete(step)
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#next = Infinity
    this.#bySteps.clear()
    this.#stepOf.clear()
  }

  #arm(step: number): void {
    clearTimeout(this.#timer)
    this.#next = step
    const delay = Math.max(1, step * STEP - performance.now())
    this.#timer = setTimeout(() => this.#look(), Math.min(MAX_DELAY, delay)).unref()
  }

  #look(): void {
    this.#next = Infinity
    const now = performance.now()
    const over = [...this.#bySteps].filter(([step]) => step * STEP <= now)
    for (const [step, items] of over) {
      this.#bySteps.delete(step)
      for (const item of items) {
        this.#stepOf.delete(item)
        this.#expired(item)
      }
    }
    let next = Infinity
    for (const step of this.#bySteps.keys()) next = Math.min(next, step)
    if (next < this.#next) this.#arm(next)
  }
}

/** Milliseconds that the caller waits. @throws BusError `InvalidParams` for what is no such number */
export function getTimeout({ [TIMEOUT_HEADER]: text }: CallHeaders): number | undefined {
  if (text === undefined) return undefined
  const ms = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  if (ms <= MAX_DELAY) return ms
  throw new BusError('InvalidParams', `The header ${TIMEOUT_HEADER} must be whole milliseconds from 0 to ${MAX_DELAY}`)
}

/** A call's own deadline has passed: it is to be answered with this. */
type Expired = (call: Call, error: BusError) => void

export class CallTable {
  readonly #running = new CallSlots<Call>()
  /**
   * Calls that nobody waits for: notifications, and what was cancelled. Their handlers run all the same, so they count, and
   * their signals abort when the frontend goes.
   */
  readonly #unanswered = new Set<Call>()
  readonly #counts: Float64Array
  readonly #expired: Expired
  #deadlines: Deadlines<Call> | undefined
  #whenIdle: (() => void) | undefined

  constructor(counts: Float64Array, expired: Expired) {
    this.#counts = counts
    this.#expired = expired
  }

  get size(): number {
    return this.#running.size + this.#unanswered.size
  }

  get running(): readonly Call[] {
    return [...this.#running.all(), ...this.#unanswered]
  }

  /** @throws BusError `InvalidRequest` for an id that is in flight, `Overloaded` beyond the bound. */
  admit(id: RequestId | undefined): void {
    if (id !== undefined && this.#running.get(id)) throw new BusError('InvalidRequest', 'The id is in flight already')
    if (this.size >= MAX_IN_FLIGHT) {
      throw new BusError('Overloaded', `More than ${MAX_IN_FLIGHT} calls of one frontend are in flight`)
    }
  }

  /** @param patience milliseconds until its deadline */
  add(call: Call, patience: number | undefined): void {
    if (call.id === undefined) return void this.#unanswered.add(call)
    this.#running.add(call.id, call)
    if (patience === undefined) return
    this.#deadlines ??= new Deadlines(late => this.#expire(late))
    this.#deadlines.add(call, patience)
  }

  /** False where the call was taken out before: nobody waits for its answer. */
  remove(call: Call): boolean {
    this.#deadlines?.remove(call)
    const found = call.id !== undefined && this.#running.get(call.id) === call
    if (found) this.#running.delete(call.id)
    // Else the session has ended.
    else if (!this.#unanswered.delete(call)) return false
    else if (call.id !== undefined && !lasts(call)) this.#counts[COUNT.late]! += 1
    if (this.#whenIdle && this.size === 0) queueMicrotask(this.#whenIdle)
    return found
  }

  /** Resolves once no call runs any more. */
  async idle(): Promise<void> {
    if (this.size > 0) await new Promise<void>(resolve => (this.#whenIdle = resolve))
  }

  /** The caller has given up. The handler's signal aborts, and what it still gives is dropped. */
  cancel(id: RequestId): void {
    const call = this.#running.get(id)
    // It has been answered: the answer, on its way, comes to nobody.
    if (!call) return void (this.#counts[COUNT.late]! += 1)
    this.#giveUp(id, call, new BusError('Cancelled', 'The caller has cancelled the call'))
  }

  #expire(call: Call): void {
    const { id, method } = call
    if (id === undefined || this.#running.get(id) !== call) return
    const error = new BusError('Timeout', `${describeCommand(method)} took longer than its caller waits`)
    this.#giveUp(id, call, error)
    this.#expired(call, error)
  }

  #giveUp(id: RequestId, call: Call, reason: BusError): void {
    this.#deadlines?.remove(call)
    this.#running.delete(id)
    this.#unanswered.add(call)
    call.abort(reason)
  }

  /** Gives those that ran. */
  abortAll(reason: BusError): readonly Call[] {
    const calls = [...this.#running.takeAll(), ...this.#unanswered]
    this.#unanswered.clear()
    this.#deadlines?.clear()
    for (const call of calls) call.abort(reason)
    this.#whenIdle?.()
    return calls
  }
}
