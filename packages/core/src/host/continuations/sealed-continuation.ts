// The bytes of a continuation: a header in plain text, and behind it the state of the run, encrypted and authenticated together with the
// header. Each continuation has a key of its own, which HKDF derives from the host's key and the continuation's id.
//
//   magic "SPC"  version u8  header length u32  header (JSON)  ciphertext  tag (16 bytes)
//
// Integers are big-endian. Everything before the ciphertext is additional data. Within: length u32, the data of the calls that were
// interrupted (`serializeValue`), and the snapshot.
import { createHash, type KeyObject, randomBytes } from 'node:crypto'
import { deserializeValue, serializeValue } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import {
  createCipher,
  createDecipher,
  decrypt,
  encrypt,
  hkdfSha256,
  importKey,
  KEY_BYTES,
  NONCE_BYTES,
  TAG_BYTES,
} from '@sallyport/protocol/internal/records'
import type { InterruptionReport } from '../../contract/host-core.js'
import type { Continuation, ContinuationHeader } from './suspension.js'

const MAGIC = Buffer.from('SPC')
/** Rises with the form of a continuation, and with what the script host keeps in a snapshot. */
const VERSION = 2
const LENGTH_BYTES = 4
const PREFIX_BYTES = MAGIC.length + 1 + LENGTH_BYTES
const MAX_HEADER_BYTES = 4096

const ID_BYTES = 16

export const hashCode = (source: string): string => createHash('sha256').update(source).digest('hex')

export const createContinuationId = (): string => randomBytes(ID_BYTES).toString('hex')

const refuse = (why: string): BusError =>
  new BusError('InvalidParams', `bus.resume: the continuation was refused: ${why}`)

function deriveKey(master: KeyObject, id: string): { key: KeyObject; nonce: Uint8Array } {
  const salt = Buffer.from(id, 'hex')
  const bytes = hkdfSha256(master, salt, 'sallyport/1 continuation', KEY_BYTES + NONCE_BYTES)
  const key = importKey(bytes.subarray(0, KEY_BYTES))
  const nonce = bytes.slice(KEY_BYTES)
  bytes.fill(0)
  return { key, nonce }
}

export function sealContinuation(master: KeyObject, { header, interrupted, snapshot }: Continuation): Uint8Array {
  const text = Buffer.from(JSON.stringify(header))
  const content = serializeValue(interrupted)
  const start = PREFIX_BYTES + text.length
  const sealed = new Uint8Array(start + LENGTH_BYTES + content.length + snapshot.length + TAG_BYTES)
  const buffer = Buffer.from(sealed.buffer)
  buffer.set(MAGIC)
  buffer.writeUInt8(VERSION, MAGIC.length)
  buffer.writeUInt32BE(text.length, MAGIC.length + 1)
  buffer.set(text, PREFIX_BYTES)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(content.length)
  const { key, nonce } = deriveKey(master, header.id)
  encrypt(createCipher(key, nonce), sealed.subarray(0, start), [length, content, snapshot], sealed.subarray(start))
  return sealed
}

/** @throws {BusError} InvalidParams for a continuation that was changed, or that another key or version has made */
export function openContinuation(master: KeyObject, sealed: Uint8Array): Continuation {
  const bytes = Buffer.from(sealed)
  if (bytes.length < PREFIX_BYTES + LENGTH_BYTES + TAG_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw refuse('it is not a continuation')
  const version = bytes.readUInt8(MAGIC.length)
  if (version !== VERSION) throw refuse(`its version is ${version}, and this host has version ${VERSION}`)
  const headerLength = bytes.readUInt32BE(MAGIC.length + 1)
  const start = PREFIX_BYTES + headerLength
  const end = bytes.length - TAG_BYTES
  if (headerLength > MAX_HEADER_BYTES || start + LENGTH_BYTES > end) throw refuse('it is not a continuation')
  const header = parseHeader(bytes.toString('utf8', PREFIX_BYTES, start))
  const plain = open(master, header, bytes, start, end)
  const split = LENGTH_BYTES + plain.readUInt32BE()
  const interrupted = deserializeValue(plain.subarray(LENGTH_BYTES, split)) as readonly InterruptionReport[]
  return { header, interrupted, snapshot: Uint8Array.from(plain.subarray(split)) }
}

/** Nothing of the header counts before it is authenticated, except for the id, of which the key is derived. */
function parseHeader(text: string): ContinuationHeader {
  try {
    const header = JSON.parse(text) as ContinuationHeader
    if (/^[0-9a-f]{32}$/.test(header.id)) return header
  } catch {
    // Refused below.
  }
  throw refuse('it is not a continuation')
}

function open(master: KeyObject, { id }: ContinuationHeader, bytes: Buffer, start: number, end: number): Buffer {
  const { key, nonce } = deriveKey(master, id)
  try {
    const decipher = createDecipher(key, nonce)
    const [plain] = decrypt(decipher, bytes.subarray(0, start), [bytes.subarray(start, end)], bytes.subarray(end))
    return plain!
  } catch {
    throw refuse('it was changed or cut, or a host with another key has made it')
  }
}
