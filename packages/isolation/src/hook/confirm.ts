// `confirm` is synchronous in a browser. Here the isolation thread asks the host over a port of its own, and sleeps on a
// word of shared memory until the host has written the answer there. The host's half is a few lines, and core's.
import { CONFIRM_WORD, type ConfirmRequest, toConfirmText } from '@sallyport/protocol'
import type { HookWatch } from './watchdog.js'

interface ConfirmPort {
  postMessage(request: ConfirmRequest): void
}

/** Runs what blocks the thread: nobody is to take it for one that hangs. */
export type Sleep = <T>(sleep: () => T) => T

/**
 * A `confirm` that blocks this thread until the host has answered. It has no deadline of its own: the host answers `no`
 * when it will wait no longer, or ends the thread. Without a port, or if the port fails, the answer is `false`.
 */
export function createConfirm(
  port: ConfirmPort | undefined,
  shared: SharedArrayBuffer | Int32Array | undefined,
  watch?: HookWatch,
  asleep: Sleep = sleep => sleep(),
): (message?: unknown) => boolean {
  if (port === undefined || shared === undefined) return () => false
  const word = shared instanceof Int32Array ? shared : new Int32Array(shared)
  return message => {
    try {
      const text = toConfirmText(message)
      Atomics.store(word, 0, CONFIRM_WORD.waiting)
      port.postMessage({ type: 'confirm', text })
      // A person may take their time: the hook is not stuck.
      watch?.rest()
      asleep(() => Atomics.wait(word, 0, CONFIRM_WORD.waiting))
      watch?.enter()
      return Atomics.load(word, 0) === CONFIRM_WORD.yes
    } catch {
      return false
    }
  }
}
