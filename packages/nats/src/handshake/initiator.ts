// The joined side of the handshake: one hello, and the keys once an answer to it proves that core gave it.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Pattern } from '@sallyport/core'
import { BusError, type CodecName, isUint8Array } from '@sallyport/protocol'
import { checkName } from '../connection/subjects.js'
import { readCredential } from './credential.js'
import { deriveSessionKeys, type SessionKeys } from './key-derivation.js'
import { NONCE_BYTES, readProvenRefusal, readRefusal, readWelcome, writeHello } from './messages.js'

export interface HandshakeOptions {
  credential: string
  bus: string
  /** The name of this process, which the subject of what core sends is made of. */
  client: string
  pattern: Pattern
  codec: CodecName
}

export interface HandshakeInitiator {
  /** That the credential is for. */
  readonly label: string
  /** For one instance, once: each session needs a handshake of its own. */
  readonly hello: Uint8Array
  /**
   * Takes the answer. An answer that throws changes nothing: a later one may be the right one.
   *
   * @throws BusError of core's refusal (which anyone can have written); `Denied` for a welcome that holds no proof,
   * `InvalidRequest` for what is no answer, and after the first welcome
   */
  finish(welcome: Uint8Array): { instance: string; keys: SessionKeys }
  /** The error of a refusal that proves to be core's own. */
  refusal(answer: Uint8Array): BusError | undefined
}

/** @throws BusError `InvalidParams` where the credential is none, or a name can't be one */
export function initiateHandshake(options: HandshakeOptions): HandshakeInitiator {
  const { id, label, expires, key } = readCredential(options.credential)
  const { pattern, codec } = options
  const bus = checkName('The name of a bus', options.bus)
  const client = checkName('The name of a joined process', options.client)
  const [time, nonce] = [Date.now(), randomBytes(NONCE_BYTES)]
  const hello = writeHello(key, { pattern, codec, time, expires, id, nonce, bus, client, label })
  let isDone = false
  return {
    label,
    hello,
    finish(answer) {
      // Twice the same keys would be twice the same nonces.
      if (isDone) throw new BusError('InvalidRequest', 'This handshake has ended')
      const welcome = readAnswer(answer)
      const { keys, proof } = deriveSessionKeys(key, hello, welcome.body, welcome.session)
      if (!timingSafeEqual(proof, welcome.proof)) {
        throw new BusError(
          'Denied',
          'The welcome proves nothing: it was not made with the secret of this bus, for this hello',
        )
      }
      isDone = true
      return { instance: welcome.instance, keys }
    },
    refusal: answer => readProvenRefusal(key, hello, answer),
  }
}

function readAnswer(answer: Uint8Array): NonNullable<ReturnType<typeof readWelcome>> {
  const bytes = isUint8Array(answer) ? new Uint8Array(answer) : new Uint8Array()
  const refusal = readRefusal(bytes)
  if (refusal) throw refusal
  const welcome = readWelcome(bytes)
  if (welcome) return welcome
  throw new BusError('InvalidRequest', 'What was answered to the hello is neither a welcome nor a refusal')
}
