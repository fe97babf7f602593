// One end of a session's link: publishes to the subject of the other end, protected with the keys of the handshake.
import type { Msg } from '@nats-io/transport-node'
import type { Pattern } from '@sallyport/core/internal/network'
import { BusError } from '@sallyport/protocol/internal/errors'
import { type ProcessConnection, hasNoResponders } from '../connection/process-connection.js'
import type { FaultReporter } from '../connection/errors.js'
import type { SessionKeys } from '../handshake/messages.js'
import { createSignal, MESSAGE } from './fragmentation.js'
import { NatsLink, type NatsLinkOptions } from './nats-link.js'
import { createProtection, type ProtectionOptions } from './protection.js'

export interface SessionLinkOptions
  extends
    Pick<ProtectionOptions, 'side'>,
    Pick<NatsLinkOptions, 'heartbeat' | 'opened' | 'begun' | 'ended' | 'detached'> {
  connection: Pick<ProcessConnection, 'publish' | 'maxPayload'>
  faults: FaultReporter
  label: string
  subject: string
  peerSubject: string
  keys: SessionKeys
  pattern: Pattern
}

export function createSessionLink(options: SessionLinkOptions): NatsLink {
  const { connection, faults, label, subject, peerSubject, side, keys, pattern, ...linkOptions } = options
  const wire = {
    // If nobody listens any more, the server reports that to the reply subject.
    publish: (message: Uint8Array) => connection.publish(peerSubject, message, subject),
    get maxPayload() {
      return connection.maxPayload
    },
  }
  const { session, wire: secret } = keys
  const protection = createProtection({ secret, session, side, cipher: pattern === 'isolation' })
  const message = 'A forged or replayed message to the session was dropped'
  const createError = (): BusError => new BusError('InvalidRequest', message)
  const dropped = (): void => faults.add({ label, createError })
  const link = new NatsLink({ ...linkOptions, wire, protection, dropped })
  // Core accepts the session with its first authentic message, which proves that the hello was not a replay.
  if (side === 'frontend') wire.publish(protection.seal(createSignal(MESSAGE.ping)))
  return link
}

/** Handles a message to the subject of a link, from anybody. */
export function deliverMessage(link: NatsLink, message: Msg): void {
  if (hasNoResponders(message)) link.suspect()
  else link.handleMessage(message.data)
}
