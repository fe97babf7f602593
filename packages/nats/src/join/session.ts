// One session of a joined process: a link whose wire leads to one instance of core.
import type { Pattern } from '@sallyport/core'
import type { Msg } from '@nats-io/transport-node'
import { saysNobody, type Connection } from '../connection.js'
import type { SessionKeys } from '../handshake/agreement.js'
import { MESSAGE, signal } from '../link/messages.js'
import { createNatsLink, type NatsLink } from '../link/nats-link.js'
import { createProtection } from '../link/protection.js'

export interface SessionParts {
  connection: Connection
  /** Where its core listens. */
  subject: string
  /** Where this side does. */
  reply: string
  keys: SessionKeys
  pattern: Pattern
  heartbeat: number
  /** A message came that nobody with the key has sent. */
  dropped(): void
  /** Nothing more comes for it. */
  over(): void
}

export function createSession(parts: SessionParts): NatsLink {
  const { connection, subject, reply, pattern, heartbeat, dropped, over } = parts
  const { session, wire: secret } = parts.keys
  const wire = {
    // With a reply subject the server says so where nobody is there any more.
    publish: (message: Uint8Array) => connection.publish(subject, message, reply),
    get maxPayload() {
      return connection.maxPayload
    },
  }
  const protection = createProtection({ secret, session, side: 'frontend', cipher: pattern === 'isolation' })
  const link = createNatsLink({ wire, protection, heartbeat, dropped, over })
  // Core takes the session in with its first message, which nobody else can have sent.
  wire.publish(protection.sealInPlace(signal(MESSAGE.ping)))
  return link
}

/** What has come for it. */
export function deliver(link: NatsLink, message: Msg): void {
  if (saysNobody(message)) link.doubt()
  else link.take(message.data)
}
