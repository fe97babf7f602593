// Rates of counters, and numbers formatted for people.

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

  /** Returns a rate per second, or `undefined` within the first two seconds: some counters grow once a second. */
  get(key: keyof Counts & string): number | undefined {
    const [first, last] = [this.#samples[0]!, this.#samples.at(-1)!]
    const ms = last.at - first.at
    return ms >= WINDOW_MS ? ((last.counts[key]! - first.counts[key]!) / ms) * 1000 : undefined
  }
}

const integer = new Intl.NumberFormat('en')

export const count = (value: number): string => integer.format(value)

function scale(value: number, step: number, units: readonly string[]): string {
  let unit = 0
  let size = value
  for (; size >= step && unit < units.length - 1; unit++) size /= step
  const digits = size >= 99.95 || Number.isInteger(size) ? 0 : size >= 9.995 ? 1 : 2
  return `${size.toFixed(digits)} ${units[unit]}`.trim()
}

export const rate = (value: number): string => scale(value < 10 ? value : Math.round(value), 1000, ['', 'k', 'M', 'G'])
export const bytes = (value: number): string => scale(Math.round(value), 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'])
/** Formats milliseconds: `340 µs`, `1.2 s`. */
export const millis = (value: number): string => micros(value * 1000)
export const micros = (value: number): string => scale(value, 1000, ['µs', 'ms', 's'])

export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([value]) => value > 0)
  if (first === -1) return '0 s'
  return parts
    .slice(first, first + 2)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ')
}

export const clock = (at: number): string => new Date(at).toLocaleTimeString('en-GB')
