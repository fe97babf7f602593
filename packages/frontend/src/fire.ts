// Events are fire and forget: where nobody awaits one, what becomes of it on its way must not end the thread, as a rejection
// that nobody has caught would. A mistake of the caller's still does.
import { isBusError } from '@sallyport/protocol'

const SENT: Promise<void> = Promise.resolve()

export function fire(send: () => Promise<void> | undefined): Promise<void> {
  try {
    const sent = send()
    sent?.catch(() => {})
    return sent ?? SENT
  } catch (error) {
    const failed = Promise.reject(error as Error)
    if (isBusError(error, 'Overloaded') || isBusError(error, 'Disconnected')) failed.catch(() => {})
    return failed
  }
}
