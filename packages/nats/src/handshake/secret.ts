// The secret of a bus: all its instances are given it, and nobody else. Credentials, and what instances tell each other, are
// derived from it.
import { BusError } from '@sallyport/protocol'
import { KEY_BYTES } from '@sallyport/protocol/records'
import { randomBytes } from 'node:crypto'
import { fromBase64url } from './base64url.js'

/**
 * A new secret for a bus: 32 random bytes, as base64url. Keep it where you keep passwords; give it to the instances alone.
 *
 * @example
 * const secret = createBusSecret() // once, then kept: process.env.SALLYPORT_SECRET
 */
export const createBusSecret = (): string => randomBytes(KEY_BYTES).toString('base64url')

/** @throws BusError `InvalidParams`, without the text that was given */
export function readBusSecret(secret: unknown): Uint8Array {
  const bytes = fromBase64url(secret)
  if (bytes && bytes.byteLength >= KEY_BYTES) return bytes
  throw new BusError(
    'InvalidParams',
    `The secret of a bus must be base64url of ${KEY_BYTES} random bytes or more: createBusSecret() makes one`,
  )
}
