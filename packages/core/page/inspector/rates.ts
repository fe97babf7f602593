// Rates of growing counters over the last two seconds, however often they are sampled.

const WINDOW_MS = 2000

export class Rates<Counts extends Readonly<Record<string, number>>> {
  readonly #samples: { at: number; counts: Counts }[] = []

  /** @param at - milliseconds of the bus's own clock */
  add(at: number, counts: Counts): void {
    const last = this.#samples.at(-1)
    // Counters shrink if this is another bus, or another frontend with the same label.
    const isOther = last && (at < last.at || Object.keys(counts).some(key => counts[key]! < last.counts[key]!))
    if (isOther) this.#samples.length = 0
    this.#samples.push({ at, counts })
    while (this.#samples.length > 2 && at - this.#samples[1]!.at >= WINDOW_MS) this.#samples.shift()
  }

  /** Returns a rate per second, or `undefined` after a single sample. */
  get(key: keyof Counts & string): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (!first || !last || last.at <= first.at) return undefined
    return ((last.counts[key]! - first.counts[key]!) / (last.at - first.at)) * 1000
  }
}
