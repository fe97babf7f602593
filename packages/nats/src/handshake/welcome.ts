// What core answers to a hello: a welcome, which proves that core holds the bus's secret, or a refusal, which proves nothing: there
// may be no key that both sides know.
import { BusError, ERROR_CODES, fromErrorObject } from '@sallyport/protocol'
import { SESSION_BYTES } from '@sallyport/protocol/records'
import { isName } from '../names.js'
import { readWhole, short } from './fields.js'
import { KIND, NONCE_BYTES, PROOF_BYTES, VERSION } from './hello.js'

const MAX_REFUSAL_BYTES = 1024
const HEAD_BYTES = 6

export interface Welcome {
  readonly session: Uint8Array
  readonly nonce: Uint8Array
  readonly instance: string
}

/** All but the proof, which `agree` makes of it. */
export const writeWelcome = ({ session, nonce, instance }: Welcome): Uint8Array =>
  Buffer.concat([Uint8Array.of(VERSION, KIND.welcome), session, nonce, short(instance)])

export function readWelcome(bytes: Uint8Array): (Welcome & { body: Uint8Array; proof: Uint8Array }) | undefined {
  return readWhole(bytes, fields => {
    const [version, kind] = [fields.u8(), fields.u8()]
    if (version !== VERSION || kind !== KIND.welcome) return undefined
    const [session, nonce, instance] = [fields.take(SESSION_BYTES), fields.take(NONCE_BYTES), fields.short()]
    const proof = fields.take(PROOF_BYTES)
    if (!isName(instance)) return undefined
    return { session, nonce, instance, proof, body: bytes.subarray(0, bytes.byteLength - PROOF_BYTES) }
  })
}

/** An answer that opens no session: reason and text of the error, and no more. */
export function writeRefusal({ reason, message }: BusError): Uint8Array {
  const head = Buffer.from([VERSION, KIND.refusal, 0, 0, 0, 0])
  head.writeInt32BE(ERROR_CODES[reason], 2)
  return Buffer.concat([head, Buffer.from(message)]).subarray(0, MAX_REFUSAL_BYTES)
}

/** The error of a refusal, or undefined for what is none. Anyone can have written it. */
export function readRefusal(bytes: Uint8Array): BusError | undefined {
  if (bytes.byteLength < HEAD_BYTES || bytes.byteLength > MAX_REFUSAL_BYTES) return undefined
  if (bytes[0] !== VERSION || bytes[1] !== KIND.refusal) return undefined
  const copy = Buffer.from(bytes)
  return fromErrorObject({ code: copy.readInt32BE(2), message: copy.toString('utf8', HEAD_BYTES) })
}
