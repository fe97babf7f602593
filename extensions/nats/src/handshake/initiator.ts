// The joined process's side of the handshake: sends one hello, and derives the keys once an answer proves that it comes from core.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Pattern } from '@sallyport/core/internal/network'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { BusError } from '@sallyport/protocol/internal/errors'
import { isUint8Array } from '@sallyport/protocol/internal/util'
import { checkName } from '../connection/subjects.js'
import { readCredential } from './credential.js'
import type { SessionKeys } from './messages.js'
import { deriveSessionKeys, NONCE_BYTES, readProvenRefusal, readRefusal, readWelcome, writeHello } from './messages.js'

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
  const [time, nonce] = [Date.now(), randomBytes(NONCE_BYTES)]
  const hello = writeHello(key, { pattern, codec, time, expires, id, nonce, bus, client, label })
  let isFinished = false
  return {
    label,
    hello,
    finish(answer) {
      // Two sessions with the same keys would use each nonce twice.
      if (isFinished) throw new BusError('InvalidRequest', 'The handshake is already finished')
      const welcome = readAnswer(answer)
      const { keys, proof } = deriveSessionKeys(key, hello, welcome.body, welcome.session)
      if (!timingSafeEqual(proof, welcome.proof)) {
        const text = 'The welcome was not made with the secret of this bus, or not for this hello'
        throw new BusError('Denied', `Handshake failed: invalid proof of core. ${text}`)
      }
      isFinished = true
      return { instance: welcome.instance, keys }
    },
    readProvenRefusal: answer => readProvenRefusal(key, hello, answer),
  }
}

function readAnswer(answer: Uint8Array): NonNullable<ReturnType<typeof readWelcome>> {
  const bytes = isUint8Array(answer) ? new Uint8Array(answer) : new Uint8Array()
  const refusal = readRefusal(bytes)
  if (refusal) throw refusal
  const welcome = readWelcome(bytes)
  if (welcome) return welcome
  throw new BusError('InvalidRequest', 'The answer to the hello is neither a welcome nor a refusal')
}
