// What is sent to a joined process, over one subscription: the last word of a subject says whom in it a message is for.
import type { Msg } from '@nats-io/transport-node'
import type { Connection } from '../connection/connection.js'
import { fromCore } from '../connection/subjects.js'

export class ReplyInbox {
  readonly #subject: (id: string) => string
  readonly #boxes = new Map<string, (message: Msg) => void>()

  constructor(connection: Connection, bus: string, client: string) {
    this.#subject = id => fromCore(bus, client, id)
    const words = this.#subject('').length
    connection.subscribe(this.#subject('*'), message => this.#boxes.get(message.subject.slice(words))?.(message))
  }

  /** Gives its subject. Messages that come for nobody are dropped. */
  open(id: string, take: (message: Msg) => void): string {
    this.#boxes.set(id, take)
    return this.#subject(id)
  }

  close(id: string): void {
    this.#boxes.delete(id)
  }
}
