// The sessions of joined processes with this instance: welcomed at the door, taken in by core with their first authentic
// message, and found by the last word of a subject.
import type { Msg } from '@nats-io/transport-node'
import type { Accepted, Hub, NetworkSession } from '@sallyport/core/network'
import { BusError, isBusError, RECORD_DIRECTION } from '@sallyport/protocol'
import { createOpener } from '@sallyport/protocol/records'
import { saysNobody, type Connection } from '../connection.js'
import type { Opened } from '../handshake/door.js'
import { writeRefusal, type Door } from '../handshake/index.js'
import { createNatsLink, type NatsLink } from '../link/nats-link.js'
import { createProtection } from '../link/protection.js'
import { fromCore, toCore } from '../subjects.js'
import type { Faults } from './faults.js'
import { HalfOpen } from './half-open.js'

export interface SessionsParts {
  hub: Pick<Hub, 'pattern' | 'maxRecordAge' | 'accept'>
  connection: Pick<Connection, 'publish' | 'maxPayload'>
  faults: Faults
  door: Door
  bus: string
  instance: string
  /** Milliseconds. */
  heartbeat: number
}

export class Sessions {
  readonly #parts: SessionsParts
  readonly #links = new Map<string, NatsLink>()
  readonly #halfOpen = new HalfOpen()
  #empty: (() => void) | undefined

  constructor(parts: SessionsParts) {
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
    if (!link) return
    if (saysNobody(message)) link.doubt()
    else link.take(message.data)
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

  #begin({ label, codec, client, credential, keys: { session, wire: secret, gate } }: Opened): void {
    const { hub, connection, bus, instance, heartbeat, faults } = this.#parts
    const name = Buffer.from(session).toString('hex')
    const [there, here] = [fromCore(bus, client, name), toCore(bus, instance, name)]
    const isIsolated = hub.pattern === 'isolation'
    const wire = {
      // Where nobody is subscribed any more, the server says so at the subject for replies.
      publish: (message: Uint8Array) => connection.publish(there, message, here),
      get maxPayload() {
        return connection.maxPayload
      },
    }
    let accepted: Accepted | undefined
    const opened = (): void => {
      this.#halfOpen.delete(name)
      const { maxRecordAge } = hub
      const key = { session, secret: gate, direction: RECORD_DIRECTION }
      const opener = isIsolated ? createOpener({ ...key, maxRecordAge }) : undefined
      accepted = this.#accept({ label, codec, link, opener })
    }
    const link = createNatsLink({
      wire,
      protection: createProtection({ secret, session, side: 'core', cipher: isIsolated }),
      heartbeat,
      opened,
      begin: () => accepted?.begin(),
      end: () => accepted?.end(),
      dropped: () => faults.tell(label, new BusError('InvalidRequest', FORGED)),
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

const FORGED = 'Somebody without its key has published to the session, or played a message of it again'
