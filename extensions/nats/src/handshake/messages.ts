// The messages of the handshake: hello, welcome and refusal, with their proofs, and the keys of the session that they open. No message is
// secret. docs/internals/nats-protocol.md has their layout.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Pattern } from '@sallyport/core/internal/network'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { BusError, ERROR_CODES, fromErrorObject } from '@sallyport/protocol/internal/errors'
import { isLabel } from '@sallyport/protocol/internal/message'
import { toPlainText } from '@sallyport/protocol/internal/util'
import { MAX_REFUSAL_BYTES } from '@sallyport/protocol/internal/wire'
import { hkdfSha256, KEY_BYTES, SESSION_BYTES } from '@sallyport/protocol/internal/records'
import { isName } from '../connection/subjects.js'
import { type Claims, ID_BYTES } from './credential.js'
import { readFields, short, u64 } from './fields.js'

export const VERSION = 1
export const KIND = { hello: 1, welcome: 2, refusal: 3, provenRefusal: 4 } as const
export const NONCE_BYTES = 32
export const PROOF_BYTES = 32
const REFUSAL_HEADER_BYTES = 6

const PATTERNS: readonly Pattern[] = ['brownfield', 'isolation']
const CODECS: readonly CodecName[] = ['json', 'msgpack']

/** Sent by the joined process: its claims, what it requests, and a proof that it holds the credential. */
export interface Hello extends Claims {
  readonly pattern: Pattern
  readonly codec: CodecName
  /** Time of sending, in milliseconds since the Unix epoch. */
  readonly time: number
  readonly nonce: Uint8Array
  readonly bus: string
  readonly client: string
}

export function writeHello(key: Uint8Array, hello: Hello): Uint8Array {
  const body = Buffer.concat([
    Uint8Array.of(VERSION, KIND.hello, PATTERNS.indexOf(hello.pattern), CODECS.indexOf(hello.codec)),
    ...[u64(hello.time), u64(hello.expires), hello.id, hello.nonce],
    ...[short(hello.bus), short(hello.client), short(hello.label)],
  ])
  return Buffer.concat([body, getHelloProof(key, body)])
}

/** Returns the claims of a hello, not authenticated yet, or undefined if it is malformed. */
export const readHello = (bytes: Uint8Array): Hello | undefined =>
  readFields(bytes, fields => {
    const [version, kind, pattern, codec] = [fields.u8(), fields.u8(), PATTERNS[fields.u8()], CODECS[fields.u8()]]
    const [time, expires, id, nonce] = [fields.u64(), fields.u64(), fields.take(ID_BYTES), fields.take(NONCE_BYTES)]
    const [bus, client, label] = [fields.short(), fields.short(), fields.short()]
    fields.take(PROOF_BYTES)
    if (version !== VERSION || kind !== KIND.hello || !pattern || !codec) return undefined
    if (!isName(bus) || !isName(client) || !isLabel(label)) return undefined
    return { pattern, codec, time, expires, id, nonce, bus, client, label }
  })

/** Compares in constant time. True if the writer of a well-formed hello holds the key. */
export function isProven(key: Uint8Array, hello: Uint8Array): boolean {
  const end = hello.byteLength - PROOF_BYTES
  return timingSafeEqual(getHelloProof(key, hello.subarray(0, end)), hello.subarray(end))
}

const getHelloProof = (key: Uint8Array, body: Uint8Array): Buffer =>
  createHmac('sha256', hkdfSha256(key, new Uint8Array(), 'sallyport/1 hello', KEY_BYTES))
    .update(body)
    .digest()

/** Sent by core, with a proof that it holds the bus's secret. */
export interface Welcome {
  readonly session: Uint8Array
  readonly nonce: Uint8Array
  readonly instance: string
}

/** Returns the welcome without the proof that `deriveSessionKeys` computes from it. */
export const writeWelcome = ({ session, nonce, instance }: Welcome): Uint8Array =>
  Buffer.concat([Uint8Array.of(VERSION, KIND.welcome), session, nonce, short(instance)])

export const readWelcome = (bytes: Uint8Array): (Welcome & { body: Uint8Array; proof: Uint8Array }) | undefined =>
  readFields(bytes, fields => {
    const [version, kind] = [fields.u8(), fields.u8()]
    if (version !== VERSION || kind !== KIND.welcome) return undefined
    const [session, nonce, instance] = [fields.take(SESSION_BYTES), fields.take(NONCE_BYTES), fields.short()]
    const proof = fields.take(PROOF_BYTES)
    if (!isName(instance)) return undefined
    return { session, nonce, instance, proof, body: bytes.subarray(0, bytes.byteLength - PROOF_BYTES) }
  })

export interface SessionKeys {
  /** 16 bytes, public. */
  readonly session: Uint8Array
  /** 32 bytes that protect the messages of the link. */
  readonly wire: Uint8Array
  /** 32 bytes that seal the gate's records, in the isolation pattern. */
  readonly gate: Uint8Array
}

/**
 * Derives the keys of a session, and the proof that core wrote the welcome: HKDF-SHA256 with the credential's key as key material and
 * SHA-256 of the transcript as salt. Ends that saw different messages derive different keys.
 *
 * @param hello - the complete hello, with its proof
 * @param welcome - the welcome without its proof
 */
export function deriveSessionKeys(
  key: Uint8Array,
  hello: Uint8Array,
  welcome: Uint8Array,
  session: Uint8Array,
): { keys: SessionKeys; proof: Uint8Array } {
  const transcript = createHash('sha256').update(hello).update(welcome).digest()
  const derive = (name: string): Uint8Array => hkdfSha256(key, transcript, `sallyport/1 ${name}`, KEY_BYTES)
  return {
    keys: { session, wire: derive('wire'), gate: derive('gate') },
    proof: createHmac('sha256', derive('welcome')).update(welcome).digest(),
  }
}

/** Returns a refusal without proof, for a hello whose credential is unknown: reason and text of the error, and nothing else. */
export const writeRefusal = (error: BusError): Uint8Array => getRefusalBody(KIND.refusal, error, MAX_REFUSAL_BYTES)

/** Returns a refusal that proves that its writer holds the credential's key and answers this hello. */
export function writeProvenRefusal(key: Uint8Array, hello: Uint8Array, error: BusError): Uint8Array {
  const body = getRefusalBody(KIND.provenRefusal, error, MAX_REFUSAL_BYTES - PROOF_BYTES)
  return Buffer.concat([body, getRefusalProof(key, hello, body)])
}

/** Returns the error of a refusal of either kind, whose proof is not checked, or undefined if it is malformed. */
export function readRefusal(bytes: Uint8Array): BusError | undefined {
  if (bytes.byteLength > MAX_REFUSAL_BYTES || bytes[0] !== VERSION) return undefined
  const proofBytes = bytes[1] === KIND.provenRefusal ? PROOF_BYTES : 0
  if ((proofBytes === 0 && bytes[1] !== KIND.refusal) || bytes.byteLength < REFUSAL_HEADER_BYTES + proofBytes) {
    return undefined
  }
  const body = Buffer.from(bytes.subarray(0, bytes.byteLength - proofBytes))
  const message = toPlainText(body.toString('utf8', REFUSAL_HEADER_BYTES))
  return fromErrorObject({ code: body.readInt32BE(2), message })
}

/** Returns the error of a refusal if its proof is valid: core wrote it for this hello, or another holder of the credential. */
export function readProvenRefusal(key: Uint8Array, hello: Uint8Array, bytes: Uint8Array): BusError | undefined {
  const error = bytes[1] === KIND.provenRefusal ? readRefusal(bytes) : undefined
  if (!error) return undefined
  const end = bytes.byteLength - PROOF_BYTES
  return timingSafeEqual(getRefusalProof(key, hello, bytes.subarray(0, end)), bytes.subarray(end)) ? error : undefined
}

function getRefusalBody(kind: number, { reason, message }: BusError, maxBytes: number): Buffer {
  const header = Buffer.from([VERSION, kind, 0, 0, 0, 0])
  header.writeInt32BE(ERROR_CODES[reason], 2)
  return Buffer.concat([header, Buffer.from(message)]).subarray(0, maxBytes)
}

function getRefusalProof(key: Uint8Array, hello: Uint8Array, body: Uint8Array): Buffer {
  const salt = createHash('sha256').update(hello).digest()
  return createHmac('sha256', hkdfSha256(key, salt, 'sallyport/1 refusal', KEY_BYTES))
    .update(body)
    .digest()
}
