// Where hellos come: any instance of the queue group takes one, or the very instance that it names.
import type { Msg, Subscription } from '@nats-io/transport-node'
import { BusError } from '@sallyport/protocol'
import type { Connection } from '../connection/connection.js'
import { type Faults, NOBODY } from '../connection/errors.js'
import { readRefusal } from '../handshake/messages.js'
import { CORE_GROUP, openSubject } from '../connection/subjects.js'
import type { HelloCounts } from './presence.js'
import type { Sessions } from './sessions.js'

export interface ReceptionDeps {
  connection: Connection
  sessions: Sessions
  faults: Faults
  hellos: HelloCounts
  bus: string
  instance: string
}

/** Begins to take hellos. Gives what ends that: hellos that have come until then are answered. */
export function listenForHandshakes(parts: ReceptionDeps): () => Promise<void> {
  const { connection, sessions, faults, hellos, bus, instance } = parts

  function take({ data, reply }: Msg): void {
    if (!reply) return
    const begun = process.hrtime.bigint()
    const answer = sessions.answer(data)
    // The session was made before: what its frontend sends at once must find it.
    connection.publish(reply, answer)
    hellos.answered += 1
    hellos.nanoseconds += Number(process.hrtime.bigint() - begun)
    const refusal = readRefusal(answer)
    if (!refusal) return
    hellos.refused += 1
    hellos.lastRefusal = refusal.message
    faults.tell(NOBODY, new BusError(refusal.reason, `A session was refused: ${refusal.message}`))
  }

  const subscriptions: Subscription[] = [
    connection.subscribe(openSubject(bus), take, CORE_GROUP),
    connection.subscribe(openSubject(bus, instance), take),
  ]
  return async () => {
    await Promise.allSettled(subscriptions.map(each => each.drain()))
  }
}
