// AES-256-GCM and HKDF-SHA256 of node:crypto in the form that records use: 96-bit nonces, 128-bit tags, and no plaintext before
// it is authenticated. The tests run the Wycheproof vectors against these functions.
import type { CipherGCM, DecipherGCM, KeyObject } from 'node:crypto'
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync } from 'node:crypto'

export const KEY_BYTES = 32
export const NONCE_BYTES = 12
export const TAG_BYTES = 16

const ALGORITHM = 'aes-256-gcm'
// Without this option, Node also accepts tags of 4 bytes.
const OPTIONS = { authTagLength: TAG_BYTES }
// Each update of a cipher returns a new buffer. A piece of this size is still in the cache when it is copied.
const PIECE_BYTES = 128 * 1024

/** Copies a key into memory that JavaScript cannot read. The caller still has to clear `bytes`. */
export function importKey(bytes: Uint8Array): KeyObject {
  if (bytes.byteLength !== KEY_BYTES) throw new RangeError(`A key has ${KEY_BYTES} bytes, not ${bytes.byteLength}`)
  return createSecretKey(bytes)
}

/** Creates a cipher for one call of `encrypt`. A key must never get the same nonce twice. */
export const createCipher = (key: KeyObject, nonce: Uint8Array): CipherGCM =>
  createCipheriv(ALGORITHM, key, nonce, OPTIONS)

/** Creates a decipher for one call of `decrypt`. */
export const createDecipher = (key: KeyObject, nonce: Uint8Array): DecipherGCM =>
  createDecipheriv(ALGORITHM, key, nonce, OPTIONS)

/** Encrypts the concatenated `parts` into `out`, followed by the tag. A part that is already at its place in `out` stays there. */
export function encrypt(
  cipher: CipherGCM,
  additional: Uint8Array,
  parts: readonly Uint8Array[],
  out: Uint8Array,
): void {
  cipher.setAAD(additional)
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
 * Decrypts the concatenated `parts`, each into memory of its own. Returns nothing before the tag is verified.
 *
 * @throws {Error} if the key, nonce, additional data, ciphertext or tag (or its length) does not match
 */
export function decrypt(
  decipher: DecipherGCM,
  additional: Uint8Array,
  parts: readonly Uint8Array[],
  tag: Uint8Array,
): Buffer[] {
  decipher.setAAD(additional).setAuthTag(tag)
  const plain = parts.map(part => decipher.update(part))
  decipher.final()
  return plain
}

/** HKDF with SHA-256 (RFC 5869), extract and expand. The limits are 8160 bytes for `length` and 1024 for `info` (Node's own). */
export function hkdfSha256(
  ikm: Uint8Array | KeyObject,
  salt: Uint8Array,
  info: Uint8Array | string,
  length: number,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdfSync('sha256', ikm, salt, info, length))
}
