// The one subscription of a joined process. The last token of a subject is the id of a session, a handshake or a query.
import type { Msg } from '@nats-io/transport-node'
import type { Connection } from '../connection/connection.js'
import { clientSubject } from '../connection/subjects.js'

export class ReplyInbox {
  readonly #getSubject: (id: string) => string
  readonly #listeners = new Map<string, (message: Msg) => void>()

  constructor(connection: Connection, bus: string, client: string) {
    this.#getSubject = id => clientSubject(bus, client, id)
    const prefixLength = this.#getSubject('').length
    connection.subscribe(this.#getSubject('*'), message =>
      this.#listeners.get(message.subject.slice(prefixLength))?.(message),
    )
  }

  /** Returns the subject of this id. */
  open(id: string, listener: (message: Msg) => void): string {
    this.#listeners.set(id, listener)
    return this.#getSubject(id)
  }

  close(id: string): void {
    this.#listeners.delete(id)
  }
}
