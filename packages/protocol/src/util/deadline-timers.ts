// Deadlines that share one timer. Those within one step of the clock expire together, and removing one leaves the timer alone.
import { setBackgroundTimer } from './platform.js'

/** Longest delay of a timer in Node. */
const MAX_TIMER_MS = 2 ** 31 - 1

export class DeadlineTimers<Item> {
  readonly #stepMs: number
  readonly #expired: (item: Item) => void
  /** Items by the number of their step, oldest first. */
  readonly #itemsByStep = new Map<number, Set<Item>>()
  readonly #stepByItem = new Map<Item, number>()
  /** Unref'd: a deadline does not keep the thread alive. */
  #timer: ReturnType<typeof setTimeout> | undefined
  /** The step that the timer is set for. It can be earlier than that of the first item. */
  #timerStep = Infinity

  /** @param stepMs at most how much later than its deadline an item expires */
  constructor(stepMs: number, expired: (item: Item) => void) {
    this.#stepMs = stepMs
    this.#expired = expired
  }

  /** @param ms can be `Infinity` */
  add(item: Item, ms: number): void {
    const step = Math.ceil((performance.now() + ms) / this.#stepMs)
    const items = this.#itemsByStep.get(step)
    if (items) items.add(item)
    else this.#itemsByStep.set(step, new Set([item]))
    this.#stepByItem.set(item, step)
    if (step < this.#timerStep) this.#setTimer(step)
  }

  remove(item: Item): void {
    const step = this.#stepByItem.get(item)
    if (step === undefined) return
    this.#stepByItem.delete(item)
    const items = this.#itemsByStep.get(step)
    items?.delete(item)
    if (items?.size === 0) this.#itemsByStep.delete(step)
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timerStep = Infinity
    this.#itemsByStep.clear()
    this.#stepByItem.clear()
  }

  #setTimer(step: number): void {
    clearTimeout(this.#timer)
    this.#timerStep = step
    const delay = Math.max(1, step * this.#stepMs - performance.now())
    this.#timer = setBackgroundTimer(() => this.#expire(), Math.min(MAX_TIMER_MS, delay))
  }

  #expire(): void {
    this.#timerStep = Infinity
    const now = performance.now()
    for (const [step, items] of [...this.#itemsByStep].filter(([each]) => each * this.#stepMs <= now)) {
      this.#itemsByStep.delete(step)
      for (const item of items) {
        // Another item's callback can have removed this one.
        if (this.#stepByItem.get(item) !== step) continue
        this.#stepByItem.delete(item)
        this.#expired(item)
      }
    }
    let next = Infinity
    for (const step of this.#itemsByStep.keys()) next = Math.min(next, step)
    if (next < this.#timerStep) this.#setTimer(next)
  }
}
