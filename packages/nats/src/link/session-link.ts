// One end of a session's link: publishes to the other end's subject, protected with the keys of the handshake.
import type { Msg } from '@nats-io/transport-node'
import type { Pattern } from '@sallyport/core'
import { BusError } from '@sallyport/protocol'
import { type Connection, isNoResponders } from '../connection/connection.js'
import type { Faults } from '../connection/errors.js'
import type { SessionKeys } from '../handshake/key-derivation.js'
import { createProtection, type ProtectionOptions } from './encryption.js'
import { MESSAGE, signal } from './fragmentation.js'
import { createNatsLink, type NatsLink, type NatsLinkOptions } from './nats-link.js'

export interface SessionDeps
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

export function createSession(parts: SessionDeps): NatsLink {
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
  if (isNoResponders(message)) link.doubt()
  else link.take(message.data)
}

const FORGED = 'Somebody without its key has published to the session, or played a message of it again'
