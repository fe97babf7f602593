// Opens the sessions of a joined process with core: sends a hello, and accepts the first answer that proves to come from core. Anybody
// can answer, so an answer without proof fails the session only if no better one follows.
import { once } from 'node:events'
import type { Msg } from '@nats-io/transport-node'
import type { Pattern } from '@sallyport/core/internal/network'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { silence, within } from '@sallyport/protocol/internal/contract'
import { BusError, describeName, describeThrown, isBusError } from '@sallyport/protocol/internal/errors'
import { randomBytes } from 'node:crypto'
import type { FaultReporter } from '../connection/errors.js'
import { hasNoResponders, type ProcessConnection } from '../connection/process-connection.js'
import { clientSubject, coreSubject, openSubject } from '../connection/subjects.js'
import { readCredential } from '../handshake/credential.js'
import { type HandshakeInitiator, initiateHandshake } from '../handshake/handshake.js'
import { createSessionLink, deliverMessage, type NatsLink } from '../link/nats-link.js'
import type { RemoteSession, SessionDialer } from './remote-core.js'

const ANSWER_TIMEOUT_MS = 5000
/** A redial has no other bound, and the function of the user can wait for ever. */
const CREDENTIAL_TIMEOUT_MS = 10_000
/** Time for a better answer after "no responders", which the server or anybody else sent. */
const NO_RESPONDERS_GRACE_MS = 200
/** Time for a better answer after one that proves nothing. */
const UNPROVEN_GRACE_MS = 1000

/** The one subscription of a joined process. The last token of a subject is the id of a session, a handshake or a query. */
export class ReplyInbox {
  readonly #getSubject: (id: string) => string
  readonly #listeners = new Map<string, (message: Msg) => void>()

  constructor(connection: ProcessConnection, bus: string, client: string) {
    this.#getSubject = id => clientSubject(bus, client, id)
    const prefixLength = this.#getSubject('').length
    connection.subscribe(this.#getSubject('*'), message =>
      this.#listeners.get(message.subject.slice(prefixLength))?.(message),
    )
  }

  open(id: string, listener: (message: Msg) => void): string {
    this.#listeners.set(id, listener)
    return this.#getSubject(id)
  }

  close(id: string): void {
    this.#listeners.delete(id)
  }
}

/** Shared by all sessions of a joined process. */
export interface JoinContext {
  readonly connection: ProcessConnection
  readonly inbox: ReplyInbox
  readonly bus: string
  readonly client: string
  readonly pattern: Pattern
  readonly heartbeat: number
  readonly links: Set<NatsLink>
  readonly faults: FaultReporter
}

export interface DialRequest {
  label: string
  codec: CodecName
  /** The instance to dial; any if undefined. */
  instance: string | undefined
  signal: AbortSignal
}

export interface OpenedSession extends RemoteSession {
  readonly instance: string
}

export class NatsSessionDialer implements SessionDialer {
  readonly #context: JoinContext
  readonly #getCredential: CredentialProvider
  /** Functions that open sessions in place of `dial`, by the names of pooled sessions. */
  readonly sources: Map<string, (signal: AbortSignal) => Promise<OpenedSession>> = new Map()
  /** Labels that have had a session: at most as many as there are credentials. */
  readonly #knownLabels = new Set<string>()

  constructor(context: JoinContext, getCredential: CredentialProvider) {
    this.#context = context
    this.#getCredential = getCredential
  }

  open({ label, codec, signal }: Parameters<SessionDialer['open']>[0]): Promise<OpenedSession> {
    return this.sources.get(label)?.(signal) ?? this.dial({ label, codec, instance: undefined, signal })
  }

  /**
   * Opens a session.
   *
   * @throws {BusError} the error of a refusal if core has proved it or if the label has had no session yet; Disconnected for any other
   * refusal, if core does not answer, and if core has no room for a session now
   */
  async dial(request: DialRequest): Promise<OpenedSession> {
    const { label, signal } = request
    const done = new AbortController()
    const problem = `No credential is available for ${describeName(label)}`
    const aborted = once(signal, 'abort', { signal: done.signal }).then(() => {
      throw new BusError('Disconnected', problem)
    })
    const given = Promise.race([this.#getCredential(label), aborted])
    const credential = await within(CREDENTIAL_TIMEOUT_MS, given).finally(() => done.abort())
    if (credential === undefined)
      throw new BusError(
        'Disconnected',
        `${problem}: the function did not return one within ${CREDENTIAL_TIMEOUT_MS} ms`,
      )
    const isKnown = this.#knownLabels.has(label)
    const session = await openSession(this.#context, request, credential, isKnown)
    this.#knownLabels.add(label)
    return session
  }
}

/** @param isKnown - true if the label has had a session: a refusal without proof is not final then */
function openSession(
  context: JoinContext,
  { codec, instance, signal }: DialRequest,
  credential: string,
  isKnown: boolean,
): Promise<OpenedSession> {
  const { connection, inbox, bus, client, pattern } = context
  const handshake = initiateHandshake({ credential, bus, client, pattern, codec })
  const id = randomBytes(16).toString('hex')
  return new Promise((resolve, reject) => {
    let failure: BusError | undefined
    let endWait = silence(ANSWER_TIMEOUT_MS, {}, () => fail(notAnswered(bus, instance)))
    const settle = (): void => {
      endWait()
      signal.removeEventListener('abort', abort)
      inbox.close(id)
    }
    const fail = (error: BusError): void => {
      settle()
      reject(error)
    }
    const abort = (): void => fail(new BusError('Cancelled', 'The session is no longer needed'))
    const failAfter = (error: BusError, graceMs: number): void => {
      if (failure) return
      failure = error
      endWait()
      endWait = silence(graceMs, {}, () => fail(error))
    }
    const handleAnswer = (message: Msg): void => {
      if (hasNoResponders(message)) return failAfter(notAnswered(bus, instance), NO_RESPONDERS_GRACE_MS)
      try {
        const session = acceptWelcome(context, handshake, message.data, instance)
        settle()
        resolve(session)
      } catch (error) {
        const refusal = handshake.readProvenRefusal(message.data)
        if (refusal) fail(refusal)
        else failAfter(toDialError(error, isKnown), UNPROVEN_GRACE_MS)
      }
    }
    if (!connection.isConnected) {
      return fail(new BusError('Disconnected', 'There is no connection to NATS', { code: 'NO_CONNECTION' }))
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort)
    try {
      connection.publish(openSubject(bus, instance), handshake.hello, inbox.open(id, handleAnswer))
    } catch (error) {
      fail(error as BusError)
    }
  })
}

/** Creates the link before the next message is read, because that can be the link's first. Throws if the answer is not a valid welcome. */
function acceptWelcome(
  context: JoinContext,
  handshake: HandshakeInitiator,
  welcome: Uint8Array,
  requested: string | undefined,
): OpenedSession {
  const { connection, inbox, bus, heartbeat, links, faults } = context
  const { instance, keys } = handshake.finish(welcome)
  if (requested !== undefined && instance !== requested) {
    throw new BusError('InvalidRequest', 'Another instance answered')
  }
  const { session, gate: secret } = keys
  const id = Buffer.from(session).toString('hex')
  const link: NatsLink = createSessionLink({
    connection,
    faults,
    label: handshake.label,
    subject: inbox.open(id, message => deliverMessage(link, message)),
    peerSubject: coreSubject(bus, instance, id),
    side: 'frontend',
    keys,
    heartbeat,
    detached() {
      inbox.close(id)
      links.delete(link)
    },
  })
  links.add(link)
  return { instance, link, key: { session, secret } }
}

function notAnswered(bus: string, instance: string | undefined): BusError {
  const core =
    instance === undefined ? `No core of bus ${JSON.stringify(bus)}` : `No instance ${JSON.stringify(instance)}`
  return new BusError('Disconnected', `${core} answered`, { data: { delivered: 'no' } })
}

/** Makes a refusal without proof retryable: it can be forged, and core can have room for a session later. */
function toDialError(error: unknown, isKnown: boolean): BusError {
  if (!isBusError(error)) return error as BusError
  if (!isKnown && error.reason !== 'Overloaded') return error
  return new BusError('Disconnected', error.message, { data: { delivered: 'no' }, cause: error })
}

/** An array of credentials, or a function that returns the credential for a label before each session, so that it can be renewed. */
export type Credentials = readonly string[] | ((label: string) => string | Promise<string>)

/** @throws {BusError} InvalidParams if the label has no valid credential, Disconnected if the function failed */
export type CredentialProvider = (label: string) => Promise<string>

/** @throws {BusError} InvalidParams for an invalid credential, and for two with the same label */
export function createCredentialProvider(credentials: Credentials): CredentialProvider {
  if (typeof credentials === 'function') return label => callProvider(credentials, label)
  const byLabel = new Map<string, string>()
  for (const credential of credentials) {
    const { label } = readCredential(credential)
    if (byLabel.has(label)) throw invalid(`two credentials have the label ${describeName(label)}`)
    byLabel.set(label, credential)
  }
  return async label => {
    const credential = byLabel.get(label)
    if (credential !== undefined) return credential
    const labels = [...byLabel.keys()].slice(0, 10).map(describeName).join(', ')
    const available = byLabel.size === 0 ? 'the array is empty' : `available: ${labels}`
    throw invalid(`no credential has the label ${describeName(label)} (${available})`)
  }
}

async function callProvider(getCredential: Exclude<Credentials, readonly string[]>, label: string): Promise<string> {
  let credential: string
  try {
    credential = await getCredential(label)
  } catch (cause) {
    if (isBusError(cause)) throw cause
    // Retried, because a store of credentials can be temporarily unavailable.
    const text = `No credential is available for ${describeName(label)}: ${describeThrown(cause)}`
    throw new BusError('Disconnected', text, { cause, data: { delivered: 'no' } })
  }
  const { label: actual } = readCredential(credential)
  if (actual === label) return credential
  throw invalid(`the function returned a credential for ${describeName(actual)} instead of ${describeName(label)}`)
}

const invalid = (text: string): BusError => new BusError('InvalidParams', `joinBus: credentials: ${text}`)
