// The sessions of joined processes with this instance: welcomed at the door, taken in by core with their first authentic
// message, and found by the last word of a subject.
import type { Msg } from '@nats-io/transport-node'
import type { Accepted, Hub, NetworkSession } from '@sallyport/core/network'
import { BusError, isBusError, RECORD_DIRECTION } from '@sallyport/protocol'
import { createOpener } from '@sallyport/protocol/records'
import type { Connection } from '../connection/connection.js'
import type { Faults } from '../connection/errors.js'
import { writeRefusal } from '../handshake/messages.js'
import type { HandshakeResponder, Opened } from '../handshake/responder.js'
import type { NatsLink } from '../link/nats-link.js'
import { createSession, deliver } from '../link/session-link.js'
import { fromCore, toCore } from '../connection/subjects.js'

/** Milliseconds for the first word. */
const FIRST_WORD = 10_000
const MOST = 1024
/** Of one credential: a frontend has one session, and now and then another attempt. */
const MOST_OF_ONE = 4

interface Waiting {
  credential: string
  timer: NodeJS.Timeout
  giveUp: () => void
}

export class HalfOpen {
  readonly #waiting = new Map<string, Waiting>()

  get isFull(): boolean {
    return this.#waiting.size >= MOST
  }

  /** Where one credential has too many, the oldest of them is given up. */
  add(session: string, credential: string, giveUp: () => void): void {
    const others = [...this.#waiting.values()].filter(each => each.credential === credential)
    if (others.length >= MOST_OF_ONE) others[0]!.giveUp()
    this.#waiting.set(session, { credential, timer: setTimeout(giveUp, FIRST_WORD).unref(), giveUp })
  }

  /** It has said something, or is gone. */
  delete(session: string): void {
    clearTimeout(this.#waiting.get(session)?.timer)
    this.#waiting.delete(session)
  }

  giveUp(): void {
    for (const { giveUp } of [...this.#waiting.values()]) giveUp()
  }
}

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
