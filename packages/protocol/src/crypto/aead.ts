// AES-256-GCM and HKDF-SHA256 as Node's own crypto gives them, in the one form that records use: 96-bit nonces, 128-bit
// tags, and no plaintext that has not been authenticated. The Wycheproof vectors are run against these functions.
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

export const KEY_BYTES = 32
export const NONCE_BYTES = 12
export const TAG_BYTES = 16

const ALGORITHM = 'aes-256-gcm'
// Without it Node takes tags of 4 bytes too.
const OPTIONS = { authTagLength: TAG_BYTES }
// A cipher's output is a new buffer each time: pieces of this size are still in the cache when they are copied on.
const PIECE_BYTES = 128 * 1024

/** Takes a key over into memory that JavaScript does not see. The bytes given stay the caller's to clear. */
export function importKey(bytes: Uint8Array): KeyObject {
  if (bytes.byteLength !== KEY_BYTES) throw new RangeError(`A key has ${KEY_BYTES} bytes, not ${bytes.byteLength}`)
  return createSecretKey(bytes)
}

/**
 * Encrypts `parts`, one after another, into `out`: ciphertext, then tag. A part may lie in `out` at its own place,
 * and is then encrypted where it is.
 */
export function encrypt(
  key: KeyObject,
  nonce: Uint8Array,
  additional: Uint8Array,
  parts: readonly Uint8Array[],
  out: Uint8Array,
): void {
  const cipher = createCipheriv(ALGORITHM, key, nonce, OPTIONS).setAAD(additional)
  let at = 0
  for (const part of parts) {
    const end = part.byteLength
    if (end <= PIECE_BYTES) out.set(cipher.update(part), at)
    else for (let i = 0; i < end; i += PIECE_BYTES) out.set(cipher.update(part.subarray(i, i + PIECE_BYTES)), at + i)
    at += end
  }
  cipher.final()
  out.set(cipher.getAuthTag(), at)
}

/**
 * Decrypts `parts`, one after another, each into memory of its own. Nothing is returned before the tag is verified.
 *
 * @throws Error where anything does not fit: key, nonce, additional data, ciphertext, tag (or its length)
 */
export function decrypt(
  key: KeyObject,
  nonce: Uint8Array,
  additional: Uint8Array,
  parts: readonly Uint8Array[],
  tag: Uint8Array,
): Buffer[] {
  const decipher = createDecipheriv(ALGORITHM, key, nonce, OPTIONS).setAAD(additional).setAuthTag(tag)
  const plain = parts.map(part => decipher.update(part))
  decipher.final()
  return plain
}

/** HKDF with SHA-256 (RFC 5869): extract and expand. `length` is at most 8160 bytes, `info` 1024 (Node's limit). */
export function hkdfSha256(
  ikm: Uint8Array | KeyObject,
  salt: Uint8Array,
  info: Uint8Array | string,
  length: number,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdfSync('sha256', ikm, salt, info, length))
}
