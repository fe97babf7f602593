// Finds calls that run for long, once each. A call bears no mark of when it began, which would cost every call something: one
// that is found at several looks in a row, a tenth of the limit apart, has run for at least so long.
import { type Call, lasts, getName } from './call.js'

/** Whoever is looked at: all of their calls that run. */
export interface Busy {
  readonly running: readonly Call[]
  slow(command: string, ms: number): void
}

const LEAST_MS = 10

/** Gives what ends it. */
export function watchSlowCalls(busy: () => Iterable<Busy>, slowAfter: number): () => void {
  let since = new Map<Call, number>()
  let told = new WeakSet<Call>()
  const look = (): void => {
    const now = performance.now()
    const found = new Map<Call, number>()
    for (const home of busy()) {
      for (const call of home.running) {
        if (lasts(call) || told.has(call)) continue
        const first = since.get(call) ?? now
        if (now - first < slowAfter) {
          found.set(call, first)
          continue
        }
        told.add(call)
        home.slow(getName(call), Math.round(now - first))
      }
    }
    since = found
  }
  const timer = setInterval(look, Math.max(LEAST_MS, slowAfter / 10)).unref()
  return () => {
    clearInterval(timer)
    since = new Map()
    told = new WeakSet()
  }
}
