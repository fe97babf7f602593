// Makes listeners known over a link that has taken the place of another, in the order in which they came.
import { METHOD, describeName, type BusError } from '@sallyport/protocol'
import type { Connection } from './connection.js'
import type { Listeners, Listening } from './listeners.js'

/** Resolves once core has answered for each. */
export async function listenAgain(core: Connection, listeners: Listeners): Promise<void> {
  const again = (id: number, { event, target, headers }: Listening): Promise<void> =>
    new Promise(resolve => {
      const known = (coreId: unknown): void => {
        if (!listeners.known(id, coreId as number)) unlisten(core, event, coreId as number)
        resolve()
      }
      const refused = (error: BusError): void => {
        // Without a link it waits for the next one. Of one that is lost its owner would not hear.
        if (error.reason !== 'Disconnected' && listeners.has(id)) {
          listeners.remove(id)
          process.emitWarning(`The listener of ${describeName(event)} is lost: ${error.message}`)
        }
        resolve()
      }
      core.keep(METHOD.listen, { event, target }, known, refused, headers)
    })
  await Promise.all(listeners.all().map(({ id, ...listening }) => again(id, listening)))
}

export function unlisten(core: Connection, event: string, eventId: number): void {
  if (core.isGone) return
  const done = (): void => {}
  core.keep(METHOD.unlisten, { event, eventId }, done, done)
}
