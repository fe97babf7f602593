// Deadlines that share one timer. Those within one step of the clock expire together, and removing one leaves the timer alone.
import { IS_NODE } from '#platform'

const MAX_TIMER_MS = 2 ** 31 - 1

export class DeadlineTimers<Item> {
  readonly #stepMs: number
  readonly #expired: (item: Item) => void
  readonly #steps = new Map<Item, number>()
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
    this.#steps.set(item, step)
    if (step < this.#timerStep) this.#setTimer(step)
  }

  remove(item: Item): void {
    this.#steps.delete(item)
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timerStep = Infinity
    this.#steps.clear()
  }

  #setTimer(step: number): void {
    clearTimeout(this.#timer)
    this.#timerStep = step
    const delay = Math.max(1, step * this.#stepMs - performance.now())
    this.#timer = setTimeout(() => this.#expire(), Math.min(MAX_TIMER_MS, delay))
    if (IS_NODE) this.#timer.unref()
  }

  #expire(): void {
    this.#timerStep = Infinity
    const now = performance.now()
    let next = Infinity
    // An item's callback can add and remove items meanwhile.
    for (const [item, step] of this.#steps) {
      if (step * this.#stepMs > now) {
        next = Math.min(next, step)
        continue
      }
      this.#steps.delete(item)
      this.#expired(item)
    }
    if (next < this.#timerStep) this.#setTimer(next)
  }
}
