// Core as a joined process reaches it: for a frontend a session with any instance, for a lane of a connection that is spread the
// session that its spread finds.
import { randomBytes } from 'node:crypto'
import type { Msg } from '@nats-io/transport-node'
import type { Pattern } from '@sallyport/core'
import type { SessionDialer, RemoteSession } from '@sallyport/core/network'
import { BusError, type CodecName, isBusError } from '@sallyport/protocol'
import { type Connection, isNoResponders } from '../connection/connection.js'
import type { Faults } from '../connection/errors.js'
import { createSession, deliver } from '../link/session-link.js'
import { initiateHandshake, type HandshakeInitiator } from '../handshake/initiator.js'
import type { NatsLink } from '../link/nats-link.js'
import { openSubject, toCore } from '../connection/subjects.js'
import type { CredentialProvider } from './credentials.js'
import type { ReplyInbox } from './reply-inbox.js'

// Opens a session with an instance of core: one hello, and the first answer that proves to be core's. Whoever may publish can
// answer as well, so what proves nothing ends it only where nothing better comes.

/** Of the joined process. */
export interface JoinContext {
  readonly connection: Connection
  readonly post: ReplyInbox
  readonly bus: string
  readonly client: string
  readonly pattern: Pattern
  readonly heartbeat: number
  /** The links that there are. */
  readonly links: Set<NatsLink>
  readonly faults: Faults
}

export interface Asked {
  credential: string
  codec: CodecName
  /** That alone; any of them otherwise. */
  instance: string | undefined
  /** Its label has had a session: what proves nothing does not end it for good. */
  isKnown: boolean
  signal: AbortSignal
}

export interface OpenedSession {
  readonly instance: string
  readonly link: NatsLink
  /** What its gate seals with. */
  readonly key: { session: Uint8Array; secret: Uint8Array }
}

/** Milliseconds for an answer. */
const ANSWER_MS = 5000
/** Milliseconds for a better answer than that nobody is there, and than a refusal that proves nothing. */
const DOUBT_MS = { nobody: 200, refusal: 1000 } as const

/**
 * @throws BusError that of a refusal, where core proves it or the label has had no session yet; `Disconnected` for any other, and
 * where no core answers or it has no room now
 */
function openSession(
  home: JoinContext,
  { credential, codec, instance, isKnown, signal }: Asked,
): Promise<OpenedSession> {
  const { connection, post, bus, client, pattern } = home
  const handshake = initiateHandshake({ credential, bus, client, pattern, codec })
  const id = randomBytes(16).toString('hex')
  return new Promise((resolve, reject) => {
    let doubted: BusError | undefined
    let timer = setTimeout(() => fail(nobody(home, instance)), ANSWER_MS)
    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      post.close(id)
    }
    const fail = (error: BusError): void => {
      settle()
      reject(error)
    }
    const giveUp = (): void => fail(new BusError('Cancelled', 'Nobody waits for the session any more'))
    const doubt = (error: BusError, ms: number): void => {
      if (doubted) return
      doubted = error
      clearTimeout(timer)
      timer = setTimeout(() => fail(error), ms)
    }
    const take = (message: Msg): void => {
      if (isNoResponders(message)) return doubt(nobody(home, instance), DOUBT_MS.nobody)
      try {
        const opened = begin(home, handshake, message.data, instance)
        settle()
        resolve(opened)
      } catch (error) {
        const refusal = handshake.refusal(message.data)
        if (refusal) fail(refusal)
        else doubt(readable(error, isKnown), DOUBT_MS.refusal)
      }
    }
    if (!connection.isUp) return fail(new BusError('Disconnected', 'There is no connection to NATS'))
    if (signal.aborted) return giveUp()
    signal.addEventListener('abort', giveUp)
    try {
      connection.publish(openSubject(bus, instance), handshake.hello, post.open(id, take))
    } catch (error) {
      fail(error as BusError)
    }
  })
}

/** The link is there before the next message is read, which may be its first. @throws BusError for no welcome */
function begin(
  home: JoinContext,
  handshake: HandshakeInitiator,
  welcome: Uint8Array,
  asked: string | undefined,
): OpenedSession {
  const { connection, post, bus, pattern, heartbeat, links, faults } = home
  const { instance, keys } = handshake.finish(welcome)
  if (asked !== undefined && instance !== asked) throw new BusError('InvalidRequest', 'Another instance has answered')
  const id = Buffer.from(keys.session).toString('hex')
  const over = (): void => {
    post.close(id)
    links.delete(link)
  }
  const link: NatsLink = createSession({
    connection,
    faults,
    label: handshake.label,
    there: toCore(bus, instance, id),
    here: post.open(id, message => deliver(link, message)),
    side: 'frontend',
    keys,
    pattern,
    heartbeat,
    over,
  })
  links.add(link)
  return { instance, link, key: { session: keys.session, secret: keys.gate } }
}

function nobody({ bus }: JoinContext, instance: string | undefined): BusError {
  const who =
    instance === undefined ? `No core of bus ${JSON.stringify(bus)}` : `No instance ${JSON.stringify(instance)}`
  return new BusError('Disconnected', `${who} answers`, { data: { delivered: 'no' } })
}

/** A core that has no room for a session now may have it later, and what nobody has proved may be untrue. */
function readable(error: unknown, isKnown: boolean): BusError {
  if (!isBusError(error)) return error as BusError
  if (!isKnown && error.reason !== 'Overloaded') return error
  return new BusError('Disconnected', error.message, { data: { delivered: 'no' }, cause: error })
}

export interface Asking {
  label: string
  codec: CodecName
  instance: string | undefined
  signal: AbortSignal
}

/** Finds the sessions of one name. */
export interface SessionSource {
  session(name: string, signal: AbortSignal): Promise<OpenedSession>
}

export class NatsSessionDialer implements SessionDialer {
  /** By the names of their lanes. */
  readonly #spreads = new Map<string, SessionSource>()
  /** Labels that have had a session: no more than there are credentials. */
  readonly #known = new Set<string>()
  readonly #home: JoinContext
  readonly #keyring: CredentialProvider

  constructor(home: JoinContext, keyring: CredentialProvider) {
    this.#home = home
    this.#keyring = keyring
  }

  /** Sessions under this name are the spread's to find. Gives back what ends that. */
  spread(name: string, spread: SessionSource): () => void {
    this.#spreads.set(name, spread)
    return () => this.#spreads.delete(name)
  }

  async open({ label, codec, signal }: Parameters<SessionDialer['open']>[0]): Promise<RemoteSession> {
    const spread = this.#spreads.get(label)
    const session = spread
      ? await spread.session(label, signal)
      : await this.ask({ label, codec, instance: undefined, signal })
    const { link, key } = session
    return { link, key, begin: () => link.begin(), end: () => link.end() }
  }

  async ask({ label, codec, instance, signal }: Asking): Promise<OpenedSession> {
    const credential = await this.#keyring(label)
    const isKnown = this.#known.has(label)
    const session = await openSession(this.#home, { credential, codec, instance, isKnown, signal })
    this.#known.add(label)
    return session
  }
}
