// Measures the duration of the hook and of sealing for the host. A gate has no diagnostics channels: its thread has the session's key and
// all messages of the frontend, so no code of the user except the sandboxed hook is loaded there.
import { type GateTimes, SamplingTimer, type Sealer } from '@sallyport/protocol/internal'
import type { Hook } from '../hook/hook.js'

/** Measures each message from when it is shown to the hook until it is encoded again, or rejected. */
export function measureHook(hook: Hook, times: GateTimes | undefined): Hook {
  if (!times) return hook
  const timer = new SamplingTimer(() => times.hook)
  return (message, handle) => {
    const startedAt = timer.begin()
    const result = hook(message, handle)
    if (startedAt === 0) return result
    if (result instanceof Promise) timer.endWith(result, startedAt)
    else timer.end(startedAt)
    return result
  }
}

/** Measures each record, which can contain many messages. */
export function measureSealer(sealer: Sealer, times: GateTimes | undefined): Sealer {
  if (!times) return sealer
  const timer = new SamplingTimer(() => times.seal)
  return {
    seal(kind, body, count) {
      const startedAt = timer.begin()
      const record = sealer.seal(kind, body, count)
      if (startedAt !== 0) timer.end(startedAt)
      return record
    },
  }
}
