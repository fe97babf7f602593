// The messages of the handshake: hello, welcome and refusal, each with its proof.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Pattern } from '@sallyport/core'
import { BusError, type CodecName, ERROR_CODES, fromErrorObject, isLabel } from '@sallyport/protocol'
import { hkdfSha256, KEY_BYTES, SESSION_BYTES } from '@sallyport/protocol/records'
import { isName } from '../connection/subjects.js'
import { type Claims, ID_BYTES } from './credential.js'
import { readWhole, short, u64 } from './fields.js'

// The first message of the handshake, from the joined process: who it claims to be, what it wants, and a proof that it holds the
// credential. Nothing of it is secret. docs/security.md has the layout.

export const VERSION = 1

export const KIND = { hello: 1, welcome: 2, refusal: 3, provenRefusal: 4 } as const

export const NONCE_BYTES = 32

export const PROOF_BYTES = 32

/** No hello is longer. */
export const MAX_HELLO_BYTES = 512

const PATTERNS: readonly Pattern[] = ['brownfield', 'isolation']

const CODECS: readonly CodecName[] = ['json', 'msgpack']

export interface Hello extends Claims {
  readonly pattern: Pattern
  readonly codec: CodecName
  /** Of sending, in milliseconds since the Unix epoch. */
  readonly time: number
  readonly nonce: Uint8Array
  readonly bus: string
  /** The joined process, which its subjects are named after. */
  readonly client: string
}

export function writeHello(key: Uint8Array, hello: Hello): Uint8Array {
  const body = Buffer.concat([
    Uint8Array.of(VERSION, KIND.hello, PATTERNS.indexOf(hello.pattern), CODECS.indexOf(hello.codec)),
    ...[u64(hello.time), u64(hello.expires), hello.id, hello.nonce],
    ...[short(hello.bus), short(hello.client), short(hello.label)],
  ])
  return Buffer.concat([body, getProof(key, body)])
}

/** What it says, believed by nobody yet, or undefined where it is malformed. */
export const readHello = (bytes: Uint8Array): Hello | undefined =>
  readWhole(bytes, fields => {
    const [version, kind, pattern, codec] = [fields.u8(), fields.u8(), PATTERNS[fields.u8()], CODECS[fields.u8()]]
    const [time, expires, id, nonce] = [fields.u64(), fields.u64(), fields.take(ID_BYTES), fields.take(NONCE_BYTES)]
    const [bus, client, label] = [fields.short(), fields.short(), fields.short()]
    fields.take(PROOF_BYTES)
    if (version !== VERSION || kind !== KIND.hello || !pattern || !codec) return undefined
    if (!isName(bus) || !isName(client) || !isLabel(label)) return undefined
    return { pattern, codec, time, expires, id, nonce, bus, client, label }
  })

/** True where whoever wrote these bytes holds the key. In constant time. */
export function isProven(key: Uint8Array, hello: Uint8Array): boolean {
  const end = hello.byteLength - PROOF_BYTES
  return timingSafeEqual(getProof(key, hello.subarray(0, end)), hello.subarray(end))
}

const getProof = (key: Uint8Array, body: Uint8Array): Buffer =>
  createHmac('sha256', hkdfSha256(key, new Uint8Array(), 'sallyport/1 hello', KEY_BYTES))
    .update(body)
    .digest()

// What core answers to a hello: a welcome, which proves that core holds the bus's secret, or a refusal. Where the credential itself is
// refused, a refusal proves that too; any other proves nothing: there may be no key that both sides know.

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
export const writeRefusal = (error: BusError): Uint8Array => refusalBody(KIND.refusal, error, MAX_REFUSAL_BYTES)

/** One that nobody else can have written in answer to this hello. */
export function writeProvenRefusal(key: Uint8Array, hello: Uint8Array, error: BusError): Uint8Array {
  const body = refusalBody(KIND.provenRefusal, error, MAX_REFUSAL_BYTES - PROOF_BYTES)
  return Buffer.concat([body, refusalProof(key, hello, body)])
}

function refusalBody(kind: number, { reason, message }: BusError, most: number): Buffer {
  const head = Buffer.from([VERSION, kind, 0, 0, 0, 0])
  head.writeInt32BE(ERROR_CODES[reason], 2)
  return Buffer.concat([head, Buffer.from(message)]).subarray(0, most)
}

/** The error of a refusal, or undefined for what is none. Anyone can have written it. */
export function readRefusal(bytes: Uint8Array): BusError | undefined {
  if (bytes.byteLength > MAX_REFUSAL_BYTES || bytes[0] !== VERSION) return undefined
  const tail = bytes[1] === KIND.provenRefusal ? PROOF_BYTES : 0
  if ((tail === 0 && bytes[1] !== KIND.refusal) || bytes.byteLength < HEAD_BYTES + tail) return undefined
  const copy = Buffer.from(bytes.subarray(0, bytes.byteLength - tail))
  return fromErrorObject({ code: copy.readInt32BE(2), message: copy.toString('utf8', HEAD_BYTES) })
}

/** The same, of one that core has written in answer to this hello, or who else holds its credential. */
export function readProvenRefusal(key: Uint8Array, hello: Uint8Array, bytes: Uint8Array): BusError | undefined {
  const error = bytes[1] === KIND.provenRefusal ? readRefusal(bytes) : undefined
  if (!error) return undefined
  const end = bytes.byteLength - PROOF_BYTES
  return timingSafeEqual(refusalProof(key, hello, bytes.subarray(0, end)), bytes.subarray(end)) ? error : undefined
}

function refusalProof(key: Uint8Array, hello: Uint8Array, body: Uint8Array): Buffer {
  const salt = createHash('sha256').update(hello).digest()
  return createHmac('sha256', hkdfSha256(key, salt, 'sallyport/1 refusal', KEY_BYTES))
    .update(body)
    .digest()
}
