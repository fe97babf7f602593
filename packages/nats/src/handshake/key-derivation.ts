// The key schedule of a session: its keys, and the proof that core wrote the welcome. Everything depends on every byte of hello and
// welcome, so ends that saw different messages derive different keys.
import { createHash, createHmac } from 'node:crypto'
import { hkdfSha256, KEY_BYTES } from '@sallyport/protocol/internal/records'

export interface SessionKeys {
  /** 16 bytes, public. */
  readonly session: Uint8Array
  /** 32 bytes that protect the messages of the link. */
  readonly wire: Uint8Array
  /** 32 bytes that seal the gate's records, in the isolation pattern. */
  readonly gate: Uint8Array
}

export interface DerivedSession {
  readonly keys: SessionKeys
  /** 32 bytes, the end of the welcome. */
  readonly proof: Uint8Array
}

/**
 * HKDF-SHA256 with the credential's key as key material and SHA-256 of the transcript as salt.
 *
 * @param hello - the complete hello, with its proof
 * @param welcome - the welcome without its proof
 */
export function deriveSessionKeys(
  key: Uint8Array,
  hello: Uint8Array,
  welcome: Uint8Array,
  session: Uint8Array,
): DerivedSession {
  const transcript = createHash('sha256').update(hello).update(welcome).digest()
  const derive = (name: string): Uint8Array => hkdfSha256(key, transcript, `sallyport/1 ${name}`, KEY_BYTES)
  return {
    keys: { session, wire: derive('wire'), gate: derive('gate') },
    proof: createHmac('sha256', derive('welcome')).update(welcome).digest(),
  }
}
