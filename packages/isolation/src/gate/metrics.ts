// How long the hook and the seal take, for the host to read. No one can listen in a gate: its thread has the hook's sandbox, the key
// and every message of the frontend, so nothing of the user's is loaded beside them.
import { type GateTimes, type Sealer, SamplingTimer } from '@sallyport/protocol'
import type { Hook } from '../hook/hook.js'

/** From a message being shown to it until what it has let pass is written out, or it is rejected. */
export function timedHook(hook: Hook, times: GateTimes | undefined): Hook {
  if (!times) return hook
  const watch = new SamplingTimer(times.hook)
  return (message, use) => {
    const began = watch.begin()
    const judged = hook(message, use)
    if (began === 0) return judged
    if (judged instanceof Promise) watch.endWith(judged, began)
    else watch.end(began)
    return judged
  }
}

/** Of one record, which may hold many messages. */
export function timedSealer(sealer: Sealer, times: GateTimes | undefined): Sealer {
  if (!times) return sealer
  const watch = new SamplingTimer(times.seal)
  return {
    seal(kind, body, count) {
      const began = watch.begin()
      const record = sealer.seal(kind, body, count)
      if (began !== 0) watch.end(began)
      return record
    },
  }
}
