// The keys of broadcasts. Each sender has its own, and a new one for each 2^16 messages: of 1 MiB, NATS's usual bound, that is the
// 2^36 bytes after which records change keys too.
import type { KeyObject } from 'node:crypto'
import { hkdfSha256, importKey, KEY_BYTES, NONCE_BYTES } from '@sallyport/protocol/records'

const EPOCH_MESSAGES = 2 ** 16

/**
 * The key for a sequence: HKDF-SHA256 with the bus's secret as key material and the sender as salt. Their info is
 * `sallyport/1 broadcast`, a zero byte, the bus, a zero byte, the subject, a zero byte, and the epoch as u64, big-endian.
 */
export function broadcastKeys(
  secret: Uint8Array,
  sender: Uint8Array,
  bus: string,
  subject: string,
): (sequence: number) => KeyObject {
  const info = Buffer.from(`sallyport/1 broadcast\0${bus}\0${subject}\0........`)
  let epoch = -1
  let key: KeyObject | undefined
  return sequence => {
    const due = Math.floor(sequence / EPOCH_MESSAGES)
    if (!key || due !== epoch) {
      epoch = due
      info.writeBigUInt64BE(BigInt(epoch), info.length - 8)
      key = importKey(hkdfSha256(secret, sender, info, KEY_BYTES))
    }
    return key
  }
}

/** A sender's key seals nothing but this sequence once, so that the sequence alone may be the nonce. */
export function getNonce(sequence: number): Uint8Array {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeBigUInt64BE(BigInt(sequence), NONCE_BYTES - 8)
  return nonce
}
