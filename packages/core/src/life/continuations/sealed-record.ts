// What the host gives out, and gets back unchanged: a header in plain text, and behind it a content, encrypted and authenticated together
// with the header. Each record has a key of its own, which HKDF derives from the host's key, the record's id and its purpose.
//
//   magic "SPC"  version u8  header length u32  header (JSON)  ciphertext  tag (16 bytes)
//
// Integers are big-endian. Everything before the ciphertext is additional data.
import { type KeyObject, randomBytes } from 'node:crypto'
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

const MAGIC = Buffer.from('SPC')
const LENGTH_BYTES = 4
const PREFIX_BYTES = MAGIC.length + 1 + LENGTH_BYTES
const MAX_HEADER_BYTES = 4096
const ID_BYTES = 16

/** Records of one purpose are none of another. */
export interface Purpose {
  readonly name: string
  /** For error texts. */
  readonly subject: string
  readonly version: number
}

export const createRecordId = (): string => randomBytes(ID_BYTES).toString('hex')

const refuse = ({ subject }: Purpose, why: string): BusError =>
  new BusError('InvalidParams', `${subject} was refused: ${why}`)

function deriveKey(master: KeyObject, { name }: Purpose, id: string): { key: KeyObject; nonce: Uint8Array } {
  const salt = Buffer.from(id, 'hex')
  const bytes = hkdfSha256(master, salt, `sallyport/1 ${name}`, KEY_BYTES + NONCE_BYTES)
  const key = importKey(bytes.subarray(0, KEY_BYTES))
  const nonce = bytes.slice(KEY_BYTES)
  bytes.fill(0)
  return { key, nonce }
}

/** @param header - its id is unique: 32 hexadecimal digits */
export function sealRecord(
  master: KeyObject,
  purpose: Purpose,
  header: { readonly id: string },
  parts: readonly Uint8Array[],
): Uint8Array {
  const text = Buffer.from(JSON.stringify(header))
  const start = PREFIX_BYTES + text.length
  const sealed = new Uint8Array(start + parts.reduce((sum, { length }) => sum + length, 0) + TAG_BYTES)
  const buffer = Buffer.from(sealed.buffer)
  buffer.set(MAGIC)
  buffer.writeUInt8(purpose.version, MAGIC.length)
  buffer.writeUInt32BE(text.length, MAGIC.length + 1)
  buffer.set(text, PREFIX_BYTES)
  const { key, nonce } = deriveKey(master, purpose, header.id)
  encrypt(createCipher(key, nonce), sealed.subarray(0, start), parts, sealed.subarray(start))
  return sealed
}

/** @throws {BusError} InvalidParams for a record that was changed, or that another key, version or purpose has */
export function openRecord<Header extends { readonly id: string }>(
  master: KeyObject,
  purpose: Purpose,
  sealed: Uint8Array,
): { header: Header; plain: Buffer } {
  const bytes = Buffer.from(sealed)
  const unknown = refuse(purpose, `it is not a ${purpose.name}`)
  if (bytes.length < PREFIX_BYTES + LENGTH_BYTES + TAG_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw unknown
  const version = bytes.readUInt8(MAGIC.length)
  if (version !== purpose.version)
    throw refuse(purpose, `its version is ${version}, and this host has version ${purpose.version}`)
  const headerLength = bytes.readUInt32BE(MAGIC.length + 1)
  const start = PREFIX_BYTES + headerLength
  const end = bytes.length - TAG_BYTES
  if (headerLength > MAX_HEADER_BYTES || start + LENGTH_BYTES > end) throw unknown
  const header = parseHeader<Header>(bytes.toString('utf8', PREFIX_BYTES, start))
  if (!header) throw unknown
  const { key, nonce } = deriveKey(master, purpose, header.id)
  try {
    const decipher = createDecipher(key, nonce)
    const [plain] = decrypt(decipher, bytes.subarray(0, start), [bytes.subarray(start, end)], bytes.subarray(end))
    return { header, plain: plain! }
  } catch {
    throw refuse(purpose, 'it was changed or cut, or a host with another key has made it')
  }
}

/** Nothing of the header counts before it is authenticated, except for the id, of which the key is derived. */
function parseHeader<Header extends { readonly id: string }>(text: string): Header | undefined {
  try {
    const header: Header = JSON.parse(text)
    return /^[0-9a-f]{32}$/.test(header.id) ? header : undefined
  } catch {
    return undefined
  }
}
