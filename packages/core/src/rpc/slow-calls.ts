// Reports calls that run for long, once each. Calls carry no start time, which would cost every call something. Instead all
// running calls are polled ten times per limit: a call was running since the first poll that found it.
import { type Call, getDisplayName, isStream } from './call-table.js'
import type { Session } from './session.js'

const MIN_INTERVAL_MS = 10

/** Returns a function that stops watching. */
export function watchSlowCalls(getSessions: () => Iterable<Session>, slowAfterMs: number): () => void {
  let firstSeen = new Map<Call, number>()
  const reported = new WeakSet<Call>()
  const poll = (): void => {
    const now = performance.now()
    const running = new Map<Call, number>()
    for (const session of getSessions()) {
      for (const call of session.runningCalls) {
        if (isStream(call) || reported.has(call)) continue
        const since = firstSeen.get(call) ?? now
        if (now - since < slowAfterMs) {
          running.set(call, since)
          continue
        }
        reported.add(call)
        session.reportSlowCall(getDisplayName(call), Math.round(now - since))
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
