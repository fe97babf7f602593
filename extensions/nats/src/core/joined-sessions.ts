// The sessions of joined processes with this instance. A hello, to any instance or to this one, makes a session half-open; core accepts
// it with its first authentic message. The last token of a subject names the session.
import type { Msg, Subscription } from '@nats-io/transport-node'
import type { Accepted, NetworkSession } from '@sallyport/core/internal/network'
import { RECORD_DIRECTION, silence } from '@sallyport/protocol/internal/contract'
import { BusError, isBusError } from '@sallyport/protocol/internal/errors'
import { MAX_HALF_OPEN, MAX_HALF_OPEN_PER_CREDENTIAL } from '@sallyport/protocol/internal/wire'
import { createOpener } from '@sallyport/protocol/internal/records'
import { CORE_LABEL } from '../connection/errors.js'
import { clientSubject, CORE_GROUP, coreSubject, openSubject } from '../connection/subjects.js'
import { readRefusal, writeRefusal } from '../handshake/messages.js'
import type { HandshakeResponder, HandshakeResult } from '../handshake/handshake.js'
import { createSessionLink, deliverMessage, type NatsLink } from '../link/nats-link.js'
import type { InstanceContext } from './presence.js'

export interface JoinedSessionsDeps extends InstanceContext {
  responder: HandshakeResponder
  heartbeat: number
}

export class JoinedSessions {
  readonly #deps: JoinedSessionsDeps
  #helloSubscriptions: Subscription[] = []
  readonly #links = new Map<string, NatsLink>()
  readonly #halfOpen = new HalfOpenSessions()
  #onEmpty: (() => void) | undefined

  constructor(deps: JoinedSessionsDeps) {
    this.#deps = deps
  }

  /** Subscribes to hellos, and to the subjects of sessions, to which anybody can publish. */
  listen(): void {
    const { connection, bus, instance } = this.#deps
    const prefixLength = coreSubject(bus, instance, '').length
    connection.subscribe(coreSubject(bus, instance, '*'), message => {
      const link = this.#links.get(message.subject.slice(prefixLength))
      if (link) deliverMessage(link, message)
    })
    const handleHello = (message: Msg): void => this.#handleHello(message)
    this.#helloSubscriptions = [
      connection.subscribe(openSubject(bus), handleHello, CORE_GROUP),
      connection.subscribe(openSubject(bus, instance), handleHello),
    ]
  }

  failAll(error: BusError): void {
    for (const link of [...this.#links.values()]) link.fail(error)
  }

  /** Answers the hellos that have already arrived, and drops the half-open sessions. */
  async drain(): Promise<void> {
    await Promise.allSettled(this.#helloSubscriptions.map(subscription => subscription.drain()))
    this.#halfOpen.dropAll()
  }

  /** Resolves once everything was sent. */
  async close(): Promise<void> {
    this.#halfOpen.dropAll()
    for (const link of [...this.#links.values()]) link.close()
    if (this.#links.size > 0) await new Promise<void>(resolve => (this.#onEmpty = resolve))
  }

  #handleHello({ data, reply }: Msg): void {
    if (!reply) return
    const { connection, faults } = this.#deps
    const answer = this.#answer(data)
    connection.publish(reply, answer)
    const refusal = readRefusal(answer)
    if (!refusal) return
    const message = `A session was refused: ${refusal.message}`
    faults.add({ label: CORE_LABEL, createError: () => new BusError(refusal.reason, message) })
  }

  /** The session exists before the answer is sent, because its first message can follow at once. */
  #answer(hello: Uint8Array): Uint8Array {
    if (this.#halfOpen.isFull) return writeRefusal(new BusError('Overloaded', 'Too many sessions are being opened'))
    const { answer, session } = this.#deps.responder.respond(hello)
    if (session) this.#open(session)
    return answer
  }

  #open({ label, codec, client, credential, keys }: HandshakeResult): void {
    const { hub, connection, faults, bus, instance, heartbeat } = this.#deps
    const { session, gate: secret } = keys
    const name = Buffer.from(session).toString('hex')
    let accepted: Accepted | undefined
    const link = createSessionLink({
      connection,
      faults,
      label,
      subject: coreSubject(bus, instance, name),
      peerSubject: clientSubject(bus, client, name),
      side: 'core',
      keys,
      heartbeat,
      opened: () => {
        this.#halfOpen.delete(name)
        const key = { session, secret, direction: RECORD_DIRECTION }
        const opener = hub.pattern === 'isolation' ? createOpener(key) : undefined
        accepted = this.#accept({ label, codec, link, opener })
      },
      begun: () => accepted?.begin(),
      ended: () => accepted?.end(),
      detached: () => this.#remove(name),
    })
    this.#links.set(name, link)
    const drop = (): void => link.fail(new BusError('Disconnected', 'The session was dropped before its first message'))
    this.#halfOpen.add(name, credential, drop)
  }

  #accept(session: NetworkSession): Accepted | undefined {
    try {
      return this.#deps.hub.accept(session)
    } catch (error) {
      session.link.close()
      // `Disconnected` means that core is closing, which is not a fault.
      if (!isBusError(error) || error.reason === 'Disconnected') return undefined
      this.#deps.faults.add({ label: session.label, createError: () => error })
    }
  }

  #remove(name: string): void {
    this.#halfOpen.delete(name)
    this.#links.delete(name)
    if (this.#links.size === 0) this.#onEmpty?.()
  }
}

const FIRST_MESSAGE_TIMEOUT_MS = 10_000

/** Bounds the sessions that wait for their first authentic message: a flood of hellos, or of replayed hellos, takes little memory. */
export class HalfOpenSessions {
  readonly #sessions = new Map<string, { credential: string; endWait: () => void; drop: () => void }>()

  get isFull(): boolean {
    return this.#sessions.size >= MAX_HALF_OPEN
  }

  /** Adds a session, and drops the oldest one of its credential if that has too many. */
  add(session: string, credential: string, drop: () => void): void {
    const others = [...this.#sessions.values()].filter(other => other.credential === credential)
    if (others.length >= MAX_HALF_OPEN_PER_CREDENTIAL) others[0]!.drop()
    const endWait = silence(FIRST_MESSAGE_TIMEOUT_MS, { keepsAlive: false }, drop)
    this.#sessions.set(session, { credential, endWait, drop })
  }

  delete(session: string): void {
    this.#sessions.get(session)?.endWait()
    this.#sessions.delete(session)
  }

  dropAll(): void {
    for (const { drop } of [...this.#sessions.values()]) drop()
  }
}
