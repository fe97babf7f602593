// Both sides of the handshake:
//
// 1. the joined process sends one hello, with a proof that it holds a credential
// 2. core verifies it, because it can come from anybody, and answers with a welcome, or refuses
// 3. the joined process derives the keys once an answer proves that it comes from core
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Pattern } from '@sallyport/core/internal/network'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { BusError, isBusError } from '@sallyport/protocol/internal/errors'
import { isUint8Array } from '@sallyport/protocol/internal/util'
import { MAX_HELLO_BYTES, MAX_HELLOS } from '@sallyport/protocol/internal/wire'
import { SESSION_BYTES } from '@sallyport/protocol/internal/records'
import { checkName } from '../connection/subjects.js'
import { deriveCredentialKey, formatId, ID_BYTES, readBusSecret, readCredential } from './credential.js'
import * as messages from './messages.js'
import type { Hello, SessionKeys } from './messages.js'

export interface HandshakeOptions {
  credential: string
  bus: string
  /** Name of this process in the subjects of its sessions. */
  client: string
  pattern: Pattern
  codec: CodecName
}

export interface HandshakeInitiator {
  readonly label: string
  readonly hello: Uint8Array
  /**
   * Reads the answer. After a call that throws, a later answer can still succeed.
   *
   * @throws {BusError} the error of a refusal, which anybody can have written; Denied for a welcome with an invalid proof;
   * InvalidRequest for a malformed answer, and after the first valid welcome
   */
  finish(answer: Uint8Array): { instance: string; keys: SessionKeys }
  readProvenRefusal(answer: Uint8Array): BusError | undefined
}

/** @throws {BusError} InvalidParams for an invalid credential or name */
export function initiateHandshake(options: HandshakeOptions): HandshakeInitiator {
  const { id, label, expires, key } = readCredential(options.credential)
  const { pattern, codec } = options
  const bus = checkName('The name of a bus', options.bus)
  const client = checkName('The name of a joined process', options.client)
  const [time, nonce] = [Date.now(), randomBytes(messages.NONCE_BYTES)]
  const hello = messages.writeHello(key, { pattern, codec, time, expires, id, nonce, bus, client, label })
  let isFinished = false
  return {
    label,
    hello,
    finish(answer) {
      // Two sessions with the same keys would use each nonce twice.
      if (isFinished) throw new BusError('InvalidRequest', 'The handshake is already finished')
      const welcome = readAnswer(answer)
      const { keys, proof } = messages.deriveSessionKeys(key, hello, welcome.body, welcome.session)
      if (!timingSafeEqual(proof, welcome.proof)) {
        const text = 'The welcome was not made with the secret of this bus, or not for this hello'
        throw new BusError('Denied', `Handshake failed: invalid proof of core. ${text}`)
      }
      isFinished = true
      return { instance: welcome.instance, keys }
    },
    readProvenRefusal: answer => messages.readProvenRefusal(key, hello, answer),
  }
}

function readAnswer(answer: Uint8Array): NonNullable<ReturnType<typeof messages.readWelcome>> {
  const bytes = isUint8Array(answer) ? new Uint8Array(answer) : new Uint8Array()
  const refusal = messages.readRefusal(bytes)
  if (refusal) throw refusal
  const welcome = messages.readWelcome(bytes)
  if (welcome) return welcome
  throw new BusError('InvalidRequest', 'The answer to the hello is neither a welcome nor a refusal')
}

export interface HandshakeResponderOptions {
  secret: string
  bus: string
  instance: string
  pattern: Pattern
  /** Ids of revoked credentials, as `getCredentialId` returns them. */
  revoked?: readonly string[]
  /** Milliseconds since the Unix epoch. @default Date.now */
  now?: () => number
}

export interface HandshakeResult {
  label: string
  codec: CodecName
  client: string
  /** Id of the credential, which is not secret. */
  credential: string
  keys: SessionKeys
}

export interface HandshakeResponder {
  /**
   * Answers a hello with a welcome or a refusal. Never throws.
   *
   * A valid hello proves that its writer holds the credential, but not that the writer sent it just now: it can be a replay to an
   * instance that has not seen it. Only a message that is protected with the session's keys proves that.
   */
  respond(hello: Uint8Array): { answer: Uint8Array; session?: HandshakeResult }
}

/** @throws {BusError} InvalidParams for an invalid secret, name or id */
export function createHandshakeResponder(options: HandshakeResponderOptions): HandshakeResponder {
  const { pattern, now = Date.now } = options
  const master = readBusSecret(options.secret)
  const bus = checkName('The name of a bus', options.bus)
  const instance = checkName('The name of an instance', options.instance)
  const revoked = new Set((options.revoked ?? []).map(checkId))
  const replayCache = new ReplayCache()

  /** @throws {BusError} why the hello cannot be authenticated */
  function authenticate(bytes: Uint8Array): { hello: Hello; key: Uint8Array } {
    const [version, kind] = bytes
    if (kind === messages.KIND.hello && version !== messages.VERSION) {
      throw new BusError(
        'InvalidRequest',
        `Handshake version ${version} is not supported: this instance has ${messages.VERSION}`,
      )
    }
    const hello = messages.readHello(bytes)
    if (!hello) throw new BusError('InvalidRequest', 'The hello is malformed')
    const key = deriveCredentialKey(master, hello)
    // Revocation and expiry are reported only to a holder of the credential. Forged and unknown credentials look the same.
    if (!messages.isProven(key, bytes)) throw new BusError('Denied', 'The credential is not valid for this bus')
    return { hello, key }
  }

  /** Returns why no hello with this credential, bus and pattern is ever accepted. */
  function getRefusal(hello: Hello): BusError | undefined {
    if (hello.bus !== bus) return new BusError('InvalidRequest', `This is the bus ${bus}, not ${hello.bus}`)
    if (revoked.has(formatId(hello.id))) return new BusError('Denied', 'The credential was revoked')
    if (hello.expires !== 0 && !(now() < hello.expires)) return new BusError('Denied', 'The credential has expired')
    if (hello.pattern === pattern) return undefined
    return new BusError('InvalidRequest', `The pattern of the bus is ${pattern}, the frontend's is ${hello.pattern}`)
  }

  /** @throws {BusError} why this hello is not accepted, although another one can be */
  function checkFreshness(hello: Hello, bytes: Uint8Array): void {
    const time = now()
    if (!(Math.abs(time - hello.time) <= MAX_HELLO_AGE)) {
      const limit = `more than ${MAX_HELLO_AGE / 1000} s. Synchronize the clocks`
      throw new BusError('Denied', `The time of the hello differs from core's clock by ${limit}`)
    }
    const proof = Buffer.from(bytes.subarray(-messages.PROOF_BYTES)).toString('base64')
    if (replayCache.has(proof)) throw new BusError('InvalidRequest', 'The hello was used before')
    if (!replayCache.add(proof, time)) throw new BusError('Overloaded', 'Too many sessions were opened within a minute')
  }

  function open(bytes: Uint8Array): { answer: Uint8Array; session?: HandshakeResult } {
    const { hello, key } = authenticate(bytes)
    const refusal = getRefusal(hello)
    if (refusal) return { answer: messages.writeProvenRefusal(key, bytes, refusal) }
    checkFreshness(hello, bytes)
    const [session, nonce] = [randomBytes(SESSION_BYTES), randomBytes(messages.NONCE_BYTES)]
    const welcome = messages.writeWelcome({ session, nonce, instance })
    const { keys, proof } = messages.deriveSessionKeys(key, bytes, welcome, session)
    const { label, codec, client, id } = hello
    return {
      answer: Buffer.concat([welcome, proof]),
      session: { label, codec, client, credential: formatId(id), keys },
    }
  }

  return {
    respond(hello) {
      try {
        const isReadable = isUint8Array(hello) && hello.byteLength <= MAX_HELLO_BYTES
        // Copied, because bytes in shared memory could change between check and use.
        return open(isReadable ? new Uint8Array(hello) : new Uint8Array())
      } catch (error) {
        const refusal = isBusError(error) ? error : new BusError('InternalError', 'The hello could not be verified')
        return { answer: messages.writeRefusal(refusal) }
      }
    },
  }
}

function checkId(id: unknown): string {
  if (typeof id === 'string' && /^[0-9a-f]+$/.test(id) && id.length === 2 * ID_BYTES) return id
  throw new BusError('InvalidParams', 'revoked must be ids of credentials, as getCredentialId returns them')
}

/** Milliseconds by which the time of a hello may differ from core's clock, either way. */
export const MAX_HELLO_AGE = 30_000
/** A hello from the future stays valid for this long. */
const RETENTION_MS = 2 * MAX_HELLO_AGE

/** Hellos that were accepted recently, so that none opens two sessions. Only holders of a credential can fill the cache. */
export class ReplayCache {
  /** Time after which a proof is too old anyway, by proof, in order of arrival. */
  readonly #expiries = new Map<string, number>()

  has(proof: string): boolean {
    return this.#expiries.has(proof)
  }

  /** Returns false if the cache is full. */
  add(proof: string, now: number): boolean {
    for (const [oldest, expiry] of this.#expiries) {
      if (expiry >= now) break
      this.#expiries.delete(oldest)
    }
    if (this.#expiries.size >= MAX_HELLOS) return false
    this.#expiries.set(proof, now + RETENTION_MS)
    return true
  }
}
