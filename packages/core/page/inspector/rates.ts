// Rates, from counts that only grow: over the last two seconds, however often one is told.

const WINDOW_MS = 2000

export class Rates<Counts extends Readonly<Record<string, number>>> {
  readonly #seen: { at: number; counts: Counts }[] = []

  /** @param at milliseconds, of the bus's own clock */
  add(at: number, counts: Counts): void {
    const last = this.#seen.at(-1)
    // Another bus, or another frontend of the same label.
    if (last && (at < last.at || Object.keys(counts).some(key => counts[key]! < last.counts[key]!)))
      this.#seen.length = 0
    this.#seen.push({ at, counts })
    while (this.#seen.length > 2 && at - this.#seen[1]!.at >= WINDOW_MS) this.#seen.shift()
  }

  /** `undefined` where there is but one count. */
  of(key: keyof Counts & string): number | undefined {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)]
    if (!first || !last || last.at <= first.at) return undefined
    return ((last.counts[key]! - first.counts[key]!) / (last.at - first.at)) * 1000
  }
}
