// A call that nobody awaits and that fails ends its thread as a rejection that nobody has caught: the most usual reason is said.
import { isBusError } from '@sallyport/protocol'

export function explainUnawaited(): void {
  process.on('uncaughtExceptionMonitor', (error, origin) => {
    if (origin === 'unhandledRejection' && isBusError(error))
      error.message += ' (nobody caught this rejection: is an `await` missing?)'
  })
}
