// The synchronous `confirm` of a browser: the isolation thread sends the question to the host over a port, and sleeps on a shared
// counter until the host has written the answer to it.
import { CONFIRM_WORD, type ConfirmRequest, toConfirmText } from '@sallyport/protocol/internal'
import type { HookWatch } from './watchdog.js'

interface ConfirmPort {
  postMessage(request: ConfirmRequest): void
}

/** Runs a function that blocks the thread, without a heartbeat being missed. */
export type Sleep = <T>(sleep: () => T) => T

/**
 * Creates a `confirm` that blocks this thread until the host has answered. It has no timeout of its own: when the host stops waiting, it
 * answers `no`, or terminates the thread. Without a port, or if the port fails, the answer is `false`.
 */
export function createConfirm(
  port: ConfirmPort | undefined,
  memory: SharedArrayBuffer | Int32Array | undefined,
  watch?: HookWatch,
  sleep: Sleep = block => block(),
): (message?: unknown) => boolean {
  if (port === undefined || memory === undefined) return () => false
  const answer = memory instanceof Int32Array ? memory : new Int32Array(memory)
  return message => {
    try {
      const text = toConfirmText(message)
      Atomics.store(answer, 0, CONFIRM_WORD.waiting)
      port.postMessage({ type: 'confirm', text })
      // The hook does not hang while a person decides.
      watch?.rest()
      sleep(() => Atomics.wait(answer, 0, CONFIRM_WORD.waiting))
      watch?.enter()
      return Atomics.load(answer, 0) === CONFIRM_WORD.yes
    } catch {
      return false
    }
  }
}
