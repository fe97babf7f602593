// Bounds what runs at a time. The rest waits in its order.

export type Release = () => void

export class Slots {
  readonly #size: number
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(size: number) {
    this.#size = size
    this.#free = size
  }

  /** True if every slot is free. */
  get isIdle(): boolean {
    return this.#free === this.#size
  }

  async take(signal: AbortSignal): Promise<Release> {
    signal.throwIfAborted()
    if (this.#free > 0) this.#free--
    else await this.#wait(signal)
    return once(() => {
      const [next] = this.#waiting
      if (next) next()
      else this.#free++
    })
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting.delete(start)
        signal.removeEventListener('abort', stop)
      }
      const start = (): void => {
        settle()
        resolve()
      }
      const stop = (): void => {
        settle()
        reject(signal.reason)
      }
      this.#waiting.add(start)
      signal.addEventListener('abort', stop)
    })
  }
}

export class LabelSlots {
  readonly #labels = new Map<string, Slots>()
  readonly #size: number

  constructor(size: number) {
    this.#size = size
  }

  /** Runs when the label has a free slot. Rejects with the signal's reason if it aborts before. */
  async run<T>(label: string, signal: AbortSignal, task: () => T | Promise<T>): Promise<T> {
    const slots = this.#labels.get(label) ?? new Slots(this.#size)
    this.#labels.set(label, slots)
    const release = await slots.take(signal)
    try {
      return await task()
    } finally {
      release()
      if (slots.isIdle) this.#labels.delete(label)
    }
  }
}

export class LabelCount {
  readonly #counts = new Map<string, number>()
  readonly #limit: number
  readonly #noun: string

  constructor(limit: number, noun: string) {
    this.#limit = limit
    this.#noun = noun
  }

  /** Returns a function that releases the place, once. @throws {string} at the limit */
  acquire(label: string): () => void {
    const count = this.#counts.get(label) ?? 0
    if (count >= this.#limit) throw `The frontend was refused: ${count} ${this.#noun} are open. Close one first.`
    this.#counts.set(label, count + 1)
    return once(() => {
      const left = this.#counts.get(label)! - 1
      if (left > 0) this.#counts.set(label, left)
      else this.#counts.delete(label)
    })
  }
}

function once(run: () => void): () => void {
  let hasRun = false
  return () => {
    if (!hasRun) run()
    hasRun = true
  }
}
