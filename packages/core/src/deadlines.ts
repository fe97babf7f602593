// The deadlines that calls bring along over a network, where the caller may be gone and tell of nothing. Many share a timer: those
// that end in one step of the clock are kept together, and the timer stays as it is when a call ends before.
import { BusError, TIMEOUT_HEADER, type CallHeaders } from '@sallyport/protocol'

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
export function patienceIn({ [TIMEOUT_HEADER]: text }: CallHeaders): number | undefined {
  if (text === undefined) return undefined
  const ms = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  if (ms <= MAX_DELAY) return ms
  throw new BusError('InvalidParams', `The header ${TIMEOUT_HEADER} must be whole milliseconds from 0 to ${MAX_DELAY}`)
}
