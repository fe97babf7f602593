// Core's side of the handshake: judges a hello, and opens a session or refuses. It may be given anything, by anyone.
import { randomBytes } from 'node:crypto'
import type { Pattern } from '@sallyport/core'
import { BusError, type CodecName, isUint8Array } from '@sallyport/protocol'
import { SESSION_BYTES } from '@sallyport/protocol/records'
import { checkName } from '../connection/subjects.js'
import { credentialKey, ID_BYTES, idText, readBusSecret } from './credential.js'
import { writeProvenRefusal, writeRefusal, writeWelcome } from './messages.js'
import { deriveSessionKeys, type SessionKeys } from './key-derivation.js'
import {
  type Hello,
  isProven,
  KIND,
  MAX_HELLO_BYTES,
  NONCE_BYTES,
  PROOF_BYTES,
  readHello,
  VERSION,
} from './messages.js'
import { MAX_HELLO_AGE, ReplayCache } from './replay-cache.js'

export interface HandshakeResponderOptions {
  secret: string
  bus: string
  instance: string
  pattern: Pattern
  /** What `revocableId` gives of credentials that open nothing any more. */
  revoked?: readonly string[]
  /** Milliseconds since the Unix epoch; `Date.now` unless given. */
  now?: () => number
}

export interface Opened {
  label: string
  codec: CodecName
  client: string
  /** Its id: no secret. */
  credential: string
  keys: SessionKeys
}

export interface HandshakeResponder {
  /**
   * Never throws. A hello proves that its writer holds the credential, and not that it was sent just now by them: until a message
   * under the session's keys has come, someone may have played it again, to an instance that had not seen it.
   */
  answer(hello: Uint8Array): { welcome: Uint8Array; session?: Opened }
}

/** @throws BusError `InvalidParams` for a secret, a name or an id that can't be one */
export function createHandshakeResponder(options: HandshakeResponderOptions): HandshakeResponder {
  const { pattern, now = Date.now } = options
  const master = readBusSecret(options.secret)
  const bus = checkName('The name of a bus', options.bus)
  const instance = checkName('The name of an instance', options.instance)
  const revoked = new Set((options.revoked ?? []).map(checkId))
  const seen = new ReplayCache()

  /** @throws BusError: why it is refused */
  function judge(bytes: Uint8Array): { hello: Hello; key: Uint8Array } {
    const [version, kind] = bytes
    if (kind === KIND.hello && version !== VERSION) {
      throw new BusError('InvalidRequest', `The handshake has version ${VERSION} here, not ${version}`)
    }
    const hello = readHello(bytes)
    if (!hello) throw new BusError('InvalidRequest', 'This is no hello')
    const key = credentialKey(master, hello)
    // What is wrong with a credential is told only to who holds it: a forged one and an unknown one look the same.
    if (!isProven(key, bytes)) throw new BusError('Denied', 'The credential is not one of this bus')
    return { hello, key }
  }

  /** Why no hello like this one is ever taken. */
  function refusalOf(hello: Hello): BusError | undefined {
    if (hello.bus !== bus) return new BusError('InvalidRequest', `This is the bus ${bus}, not ${hello.bus}`)
    if (revoked.has(idText(hello.id))) return new BusError('Denied', 'The credential was revoked')
    if (hello.expires !== 0 && !(now() < hello.expires)) return new BusError('Denied', 'The credential has expired')
    if (hello.pattern === pattern) return undefined
    const both = `The pattern of the bus is ${pattern}, and that of the frontend ${hello.pattern}`
    return new BusError('InvalidRequest', both)
  }

  /** @throws BusError: why this one is not, while another may be */
  function remember(hello: Hello, bytes: Uint8Array): void {
    const time = now()
    if (!(Math.abs(time - hello.time) <= MAX_HELLO_AGE)) {
      throw new BusError('Denied', `The hello is not of this time: clocks may differ by ${MAX_HELLO_AGE / 1000} s`)
    }
    const proof = Buffer.from(bytes.subarray(-PROOF_BYTES)).toString('base64')
    if (seen.has(proof)) throw new BusError('InvalidRequest', 'The hello was taken before')
    if (!seen.add(proof, time)) throw new BusError('Overloaded', 'Too many sessions were opened within a minute')
  }

  function open(bytes: Uint8Array): { welcome: Uint8Array; session?: Opened } {
    const { hello, key } = judge(bytes)
    const refusal = refusalOf(hello)
    if (refusal) return { welcome: writeProvenRefusal(key, bytes, refusal) }
    remember(hello, bytes)
    const [session, nonce] = [randomBytes(SESSION_BYTES), randomBytes(NONCE_BYTES)]
    const body = writeWelcome({ session, nonce, instance })
    const { keys, proof } = deriveSessionKeys(key, bytes, body, session)
    const { label, codec, client } = hello
    return {
      welcome: Buffer.concat([body, proof]),
      session: { label, codec, client, credential: idText(hello.id), keys },
    }
  }

  return {
    answer(given) {
      try {
        const fits = isUint8Array(given) && given.byteLength <= MAX_HELLO_BYTES
        // A copy, for what lies in shared memory can change while it is judged.
        return open(fits ? new Uint8Array(given) : new Uint8Array())
      } catch (error) {
        const refused =
          error instanceof BusError ? error : new BusError('InternalError', 'The hello could not be judged')
        return { welcome: writeRefusal(refused) }
      }
    },
  }
}

function checkId(id: unknown): string {
  if (typeof id === 'string' && /^[0-9a-f]+$/.test(id) && id.length === 2 * ID_BYTES) return id
  throw new BusError('InvalidParams', 'What is revoked must be the id of a credential, as revocableId gives it')
}
