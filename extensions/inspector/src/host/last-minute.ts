// How often each kind of trouble of each frontend occurred within the last minute.
import type { MinuteTotal } from '../contract/views.js'

/** One kind of trouble of one frontend. */
export interface Trouble {
  /** The kind of an event, or `failures` for calls that ended with an error. */
  kind: string
  label: string
  /** A command, or the kind of a worker. */
  what: string
  why: string
  where: string
  /** The first lines of the error's stack. */
  stack?: string
  count: number
}

/** The total to which each kind of trouble belongs. */
const TOTALS = new Map<string, MinuteTotal>([
  ['denied', 'denied'],
  ['refused', 'refused'],
  ['failures', 'failed'],
  ['rejected', 'rejected'],
  ['slow', 'slow'],
  ['overload', 'dropped'],
])

/** @param label - leaves out the troubles of others */
export function countTroubles(troubles: readonly Trouble[], label?: string): Record<MinuteTotal, number> {
  const totals = { denied: 0, refused: 0, failed: 0, rejected: 0, slow: 0, dropped: 0 }
  for (const trouble of troubles) {
    const total = TOTALS.get(trouble.kind)
    if (total && (label === undefined || trouble.label === label)) totals[total] += trouble.count
  }
  return totals
}

const SPAN_MS = 60_000
/** Counts are kept for spans of this length. */
const STEP_MS = 1000
const MAX_KEPT = 2000

interface Kept {
  /** The latest one. */
  trouble: Trouble
  /** Times of steps, and the counts within them. */
  steps: [at: number, count: number][]
}

export class LastMinute {
  readonly #kept = new Map<string, Kept>()

  add(trouble: Trouble, now: number = Date.now()): void {
    // An error's message can differ each time.
    const key = JSON.stringify([trouble.kind, trouble.label, trouble.what])
    const steps = this.#kept.get(key)?.steps ?? []
    const last = steps.at(-1)
    if (last && now - last[0] < STEP_MS) last[1] += trouble.count
    else steps.push([now, trouble.count])
    this.#kept.delete(key)
    this.#kept.set(key, { trouble, steps })
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!)
  }

  /** Returns what occurred, with how often. */
  get(now: number = Date.now()): Trouble[] {
    const found: Trouble[] = []
    for (const [key, { trouble, steps }] of this.#kept) {
      while (steps.length > 0 && now - steps[0]![0] > SPAN_MS) steps.shift()
      if (steps.length === 0) this.#kept.delete(key)
      else found.push({ ...trouble, count: steps.reduce((sum, [, count]) => sum + count, 0) })
    }
    return found
  }
}
