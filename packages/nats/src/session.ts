// The link of a session, at either end of it: what goes out is published to the other end's subject, protected with the keys of
// the handshake.
import type { Pattern } from '@sallyport/core'
import type { Msg } from '@nats-io/transport-node'
import { BusError } from '@sallyport/protocol'
import { saysNobody, type Connection } from './connection.js'
import type { Faults } from './faults.js'
import type { SessionKeys } from './handshake/agreement.js'
import { MESSAGE, signal } from './link/messages.js'
import { createNatsLink, type NatsLink, type NatsLinkOptions } from './link/nats-link.js'
import { createProtection, type ProtectionOptions } from './link/protection.js'

export interface SessionParts
  extends Pick<ProtectionOptions, 'side'>, Pick<NatsLinkOptions, 'heartbeat' | 'opened' | 'begin' | 'end' | 'over'> {
  connection: Pick<Connection, 'publish' | 'maxPayload'>
  faults: Faults
  label: string
  /** The subject of the other end. */
  there: string
  /** That of this one. */
  here: string
  keys: SessionKeys
  pattern: Pattern
}

export function createSession(parts: SessionParts): NatsLink {
  const { connection, faults, label, there, here, side, keys, pattern, ...events } = parts
  const { session, wire: secret } = keys
  const wire = {
    // Where nobody is subscribed any more, the server says so at the subject for replies.
    publish: (message: Uint8Array) => connection.publish(there, message, here),
    get maxPayload() {
      return connection.maxPayload
    },
  }
  const protection = createProtection({ secret, session, side, cipher: pattern === 'isolation' })
  const dropped = (): void => faults.tell(label, new BusError('InvalidRequest', FORGED))
  const link = createNatsLink({ ...events, wire, protection, dropped })
  // Core takes the session in with its first message, which nobody else can have sent.
  if (side === 'frontend') wire.publish(protection.sealInPlace(signal(MESSAGE.ping)))
  return link
}

/** What has come to its subject, from whomever. */
export function deliver(link: NatsLink, message: Msg): void {
  if (saysNobody(message)) link.doubt()
  else link.take(message.data)
}

const FORGED = 'Somebody without its key has published to the session, or played a message of it again'
