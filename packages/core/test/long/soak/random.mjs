// Random choices that a seed repeats. (Mulberry32.)

export class Random {
  #state

  constructor(seed) {
    this.#state = seed >>> 0
  }

  /** Returns a number from 0 to below 1. */
  next() {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  below(end) {
    return Math.floor(this.next() * end)
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  /** Picks a value from pairs of a value and its weight. */
  weighted(pairs) {
    let left = this.next() * pairs.reduce((sum, [, weight]) => sum + weight, 0)
    return pairs.find(([, weight]) => (left -= weight) < 0)?.[0] ?? pairs[0][0]
  }
}
