// The first message of the handshake, from the joined process: who it claims to be, what it wants, and a proof that it holds the
// credential. Nothing of it is secret. docs/security.md has the layout.
import { isLabel, type CodecName } from '@sallyport/protocol'
import { hkdfSha256, KEY_BYTES } from '@sallyport/protocol/records'
import type { Pattern } from '@sallyport/core'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { isName } from '../names.js'
import { ID_BYTES, type Claims } from './credential.js'
import { readWhole, short, u64 } from './fields.js'

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
  return Buffer.concat([body, proofOf(key, body)])
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
  return timingSafeEqual(proofOf(key, hello.subarray(0, end)), hello.subarray(end))
}

const proofOf = (key: Uint8Array, body: Uint8Array): Buffer =>
  createHmac('sha256', hkdfSha256(key, new Uint8Array(), 'sallyport/1 hello', KEY_BYTES))
    .update(body)
    .digest()
