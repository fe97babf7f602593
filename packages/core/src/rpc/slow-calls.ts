// Reports calls that run for long, once each. Calls carry no start time, which would cost every call something. Instead all
// running calls are polled ten times per limit: a call was running since the first poll that found it.
import { type Call, getDisplayName, isStream } from './call-table.js'

export interface SlowCallSource {
  readonly runningCalls: readonly Call[]
  reportSlowCall(command: string, ms: number): void
}

const MIN_INTERVAL_MS = 10

/** Returns a function that stops watching. */
export function watchSlowCalls(getSources: () => Iterable<SlowCallSource>, slowAfterMs: number): () => void {
  let firstSeen = new Map<Call, number>()
  const reported = new WeakSet<Call>()
  const poll = (): void => {
    const now = performance.now()
    const running = new Map<Call, number>()
    for (const source of getSources()) {
      for (const call of source.runningCalls) {
        if (isStream(call) || reported.has(call)) continue
        const since = firstSeen.get(call) ?? now
        if (now - since < slowAfterMs) {
          running.set(call, since)
          continue
        }
        reported.add(call)
        source.reportSlowCall(getDisplayName(call), Math.round(now - since))
      }
    }
    firstSeen = running
  }
  const timer = setInterval(poll, Math.max(MIN_INTERVAL_MS, slowAfterMs / 10)).unref()
  return () => {
    clearInterval(timer)
    firstSeen = new Map()
  }
}
