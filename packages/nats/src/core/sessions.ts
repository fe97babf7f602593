// The sessions of joined processes with this instance: welcomed at the door, taken in by core with their first authentic
// message, and found by the last word of a subject.
import type { Msg } from '@nats-io/transport-node'
import type { Pattern } from '@sallyport/core'
import type { Accepted, Hub, NetworkSession } from '@sallyport/core/network'
import { BusError, isBusError, RECORD_DIRECTION } from '@sallyport/protocol'
import { createOpener } from '@sallyport/protocol/records'
import { type Connection, isNoResponders } from '../connection/connection.js'
import type { Faults } from '../connection/errors.js'
import { type HandshakeResponder, writeRefusal } from '../handshake/index.js'
import type { SessionKeys } from '../handshake/key-derivation.js'
import type { Opened } from '../handshake/responder.js'
import { createProtection, type ProtectionOptions } from '../link/encryption.js'
import { MESSAGE, signal } from '../link/fragmentation.js'
import { createNatsLink, type NatsLink, type NatsLinkOptions } from '../link/nats-link.js'
import { fromCore, toCore } from '../subjects.js'
import { HalfOpen } from './half-open.js'

// The link of a session, at either end of it: what goes out is published to the other end's subject, protected with the keys of
// the handshake.

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

export interface SessionsDeps {
  hub: Pick<Hub, 'pattern' | 'maxRecordAge' | 'accept'>
  connection: Pick<Connection, 'publish' | 'maxPayload'>
  faults: Faults
  door: HandshakeResponder
  bus: string
  instance: string
  /** Milliseconds. */
  heartbeat: number
}

export class Sessions {
  readonly #parts: SessionsDeps
  readonly #links = new Map<string, NatsLink>()
  readonly #halfOpen = new HalfOpen()
  #empty: (() => void) | undefined

  constructor(parts: SessionsDeps) {
    this.#parts = parts
  }

  /** Gives the answer to a hello. */
  answer(hello: Uint8Array): Uint8Array {
    if (this.#halfOpen.isFull) return writeRefusal(new BusError('Overloaded', 'Too many sessions are being opened'))
    const { welcome, session } = this.#parts.door.answer(hello)
    if (session) this.#begin(session)
    return welcome
  }

  /** A message of a session, or what somebody else has published there. */
  take(name: string, message: Msg): void {
    const link = this.#links.get(name)
    if (link) deliver(link, message)
  }

  /** All at once, with the connection. */
  lost(error: BusError): void {
    for (const link of [...this.#links.values()]) link.lost(error)
  }

  /** Those that core has not taken in are given up. */
  drain(): void {
    this.#halfOpen.giveUp()
  }

  /** Resolves once what was sent is on its way. */
  async close(): Promise<void> {
    this.drain()
    for (const link of [...this.#links.values()]) link.close()
    if (this.#links.size > 0) await new Promise<void>(resolve => (this.#empty = resolve))
  }

  #begin({ label, codec, client, credential, keys }: Opened): void {
    const { hub, connection, faults, bus, instance, heartbeat } = this.#parts
    const { pattern, maxRecordAge } = hub
    const { session, gate: secret } = keys
    const name = Buffer.from(session).toString('hex')
    let accepted: Accepted | undefined
    const link = createSession({
      connection,
      faults,
      label,
      there: fromCore(bus, client, name),
      here: toCore(bus, instance, name),
      side: 'core',
      keys,
      pattern,
      heartbeat,
      opened: () => {
        this.#halfOpen.delete(name)
        const key = { session, secret, direction: RECORD_DIRECTION }
        const opener = pattern === 'isolation' ? createOpener({ ...key, maxRecordAge }) : undefined
        accepted = this.#accept({ label, codec, link, opener })
      },
      begin: () => accepted?.begin(),
      end: () => accepted?.end(),
      over: () => this.#over(name),
    })
    this.#links.set(name, link)
    this.#halfOpen.add(name, credential, () => link.lost(new BusError('Disconnected', 'Nothing came of the session')))
  }

  #accept(session: NetworkSession): Accepted | undefined {
    try {
      return this.#parts.hub.accept(session)
    } catch (error) {
      session.link.close()
      // While core ends, that is no fault of anybody.
      if (isBusError(error) && error.reason !== 'Disconnected') this.#parts.faults.tell(session.label, error)
      return undefined
    }
  }

  #over(name: string): void {
    this.#halfOpen.delete(name)
    this.#links.delete(name)
    if (this.#links.size === 0) this.#empty?.()
  }
}
