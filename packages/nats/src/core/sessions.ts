// The sessions of joined processes with this instance: welcomed at the door, taken in by core with their first authentic
// message, and found by the last word of a subject.
import type { Msg } from '@nats-io/transport-node'
import type { Accepted, Hub, NetworkSession } from '@sallyport/core/network'
import { BusError, isBusError, RECORD_DIRECTION } from '@sallyport/protocol'
import { createOpener } from '@sallyport/protocol/records'
import type { Connection } from '../connection.js'
import type { Opened } from '../handshake/door.js'
import { writeRefusal, type Door } from '../handshake/index.js'
import type { NatsLink } from '../link/nats-link.js'
import { createSession, deliver } from '../session.js'
import { fromCore, toCore } from '../subjects.js'
import type { Faults } from '../faults.js'
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
