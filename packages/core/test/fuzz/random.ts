// Repeatable random choices: a seed and a case number make the same case on every machine.

export class Random {
  #state: number

  constructor(seed: number, stream = 0) {
    this.#state = (Math.imul(seed, 0x9e37_79b9) ^ Math.imul(stream + 1, 0x85eb_ca6b)) >>> 0
    for (let i = 0; i < 4; i++) this.next()
  }

  /** Returns a number from 0 to below 1 (Mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** Returns an integer from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** Returns an integer; small ones are more likely. */
  few(most: number): number {
    return Math.floor(this.next() ** 3 * (most + 1))
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }

  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.few(most) }, make)
  }
}
