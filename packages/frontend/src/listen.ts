// Makes a listener known to core. Whoever gives that up, by a signal or a deadline, must not leave one there that nobody knows
// of: the request runs on, and what it gives is taken away again.
import { METHOD, checkPatience, watchPatience, type CallOptions } from '@sallyport/protocol'
import type { Connection } from './connection.js'
import { unlisten } from './listen-again.js'
import type { Listeners, Listening } from './listeners.js'

/** @throws BusError, as `listen` does */
export function listen(
  core: Connection,
  listeners: Listeners,
  listening: Listening,
  options: CallOptions,
): Promise<number> {
  checkPatience(METHOD.listen, options)
  return new Promise((resolve, reject) => {
    const { event, target, headers } = listening
    let isOver = false
    let release: (() => void) | undefined
    const giveUp = (error: Error): void => {
      isOver = true
      release?.()
      reject(error)
    }
    // The handler is in place before the next message is read: events may follow in the same frame.
    const known = (coreId: unknown): void => {
      if (isOver) return unlisten(core, event, coreId as number)
      release?.()
      resolve(listeners.add(coreId as number, listening))
    }
    core.request(METHOD.listen, { event, target }, false, known, giveUp, headers && { headers })
    release = watchPatience(METHOD.listen, options.signal, options.timeout, giveUp)
  })
}
