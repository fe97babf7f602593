// Answers hellos: those to any instance, which the queue group distributes, and those to this instance.
import type { Msg } from '@nats-io/transport-node'
import { BusError } from '@sallyport/protocol/internal'
import type { Connection } from '../connection/connection.js'
import { CORE_LABEL, type FaultReporter } from '../connection/errors.js'
import { CORE_GROUP, openSubject } from '../connection/subjects.js'
import { readRefusal } from '../handshake/messages.js'
import type { HandshakeCounts } from './presence.js'
import type { Sessions } from './sessions.js'

export interface HandshakeListenerDeps {
  connection: Connection
  sessions: Sessions
  faults: FaultReporter
  counts: HandshakeCounts
  bus: string
  instance: string
}

/** Returns an async unsubscribe function, which answers the hellos that have already arrived. */
export function listenForHandshakes(deps: HandshakeListenerDeps): () => Promise<void> {
  const { connection, sessions, faults, counts, bus, instance } = deps

  function handleHello({ data, reply }: Msg): void {
    if (!reply) return
    const startedAt = process.hrtime.bigint()
    const answer = sessions.answer(data)
    connection.publish(reply, answer)
    counts.answered += 1
    counts.nanoseconds += Number(process.hrtime.bigint() - startedAt)
    const refusal = readRefusal(answer)
    if (!refusal) return
    counts.refused += 1
    counts.lastRefusal = refusal.message
    faults.report(CORE_LABEL, new BusError(refusal.reason, `A session was refused: ${refusal.message}`))
  }

  const subscriptions = [
    connection.subscribe(openSubject(bus), handleHello, CORE_GROUP),
    connection.subscribe(openSubject(bus, instance), handleHello),
  ]
  return async () => {
    await Promise.allSettled(subscriptions.map(subscription => subscription.drain()))
  }
}
