// The secret of a bus, and the credentials with which joined processes prove their labels. Core derives a credential's key from the
// secret and from the claims in the hello, so that no instance keeps a table of credentials.
import { createHash, randomBytes } from 'node:crypto'
import { BusError, checkOptions, type OptionChecks } from '@sallyport/protocol/internal/errors'
import { describeLabelRule, FREE_LABEL_RULE, isLabel, isLabelText } from '@sallyport/protocol/internal/message'
import { getTypeName } from '@sallyport/protocol/internal/util'
import { hkdfSha256, KEY_BYTES } from '@sallyport/protocol/internal/records'
import { readFields, short, u64 } from './fields.js'

export const ID_BYTES = 16
const CHECKSUM_BYTES = 4
/** Identifies a credential to people and secret scanners, and its version. */
const PREFIX = 'sallyport1.'

/**
 * Returns a new secret for a bus: 32 random bytes as base64url. Store it like a password, and give it only to the instances: keys of
 * credentials and of broadcasts are derived from it.
 *
 * @example
 * const secret = createBusSecret() // once, then kept: process.env.SALLYPORT_SECRET
 */
export const createBusSecret = (): string => randomBytes(KEY_BYTES).toString('base64url')

/** @throws {BusError} InvalidParams, without the given secret */
export function readBusSecret(secret: unknown): Uint8Array {
  const bytes = fromBase64url(secret)
  if (bytes && bytes.byteLength >= KEY_BYTES) return bytes
  throw new BusError(
    'InvalidParams',
    `The secret of a bus must be base64url of at least ${KEY_BYTES} random bytes. Create one with createBusSecret()`,
  )
}

/** The claims about its credential that a hello contains in plaintext. */
export interface Claims {
  readonly id: Uint8Array
  readonly label: string
  /** Milliseconds since the Unix epoch, or 0 for a credential that never expires. */
  readonly expires: number
}

export interface Credential extends Claims {
  readonly key: Uint8Array
}

/** Options of `issueCredential`. */
export interface CredentialOptions {
  /** Label of the frontend that may join with the credential. */
  label: string
  /** Time after which the credential opens no session. @default never */
  expires?: Date
}

const OPTIONS: OptionChecks<CredentialOptions> = {
  // Its rule depends on what is wrong.
  label: undefined,
  expires: [value => getTypeName(value) === 'Date' && (value as Date).getTime() > Date.now(), 'a Date in the future'],
}

/**
 * Returns a credential for one label. It is a secret of the process that joins with it.
 *
 * @param secret - the bus's secret, from `createBusSecret`
 * @throws {BusError} InvalidParams
 * @example
 * issueCredential(secret, { label: 'worker', expires: new Date('2031-01-01') }) // 'sallyport1.…'
 */
export function issueCredential(secret: string, options: CredentialOptions): string {
  const master = readBusSecret(secret)
  const { label, expires } = checkOptions('issueCredential', Object(options), OPTIONS)
  if (!isLabel(label)) {
    const hasForm = typeof label === 'string' && isLabelText(label)
    const rule = hasForm ? FREE_LABEL_RULE : describeLabelRule(label)
    throw new BusError('InvalidParams', `issueCredential: label must be ${rule}`)
  }
  return writeCredential(master, { id: randomBytes(ID_BYTES), label, expires: expires?.getTime() ?? 0 })
}

/** Returns the id of a credential, which is not secret, for the option `revoked`. @throws {BusError} InvalidParams */
export const getCredentialId = (credential: string): string => formatId(readCredential(credential).id)

export const formatId = (id: Uint8Array): string => Buffer.from(id).toString('hex')

/** HKDF-SHA256 with the bus's secret as key material and the id as salt. */
export function deriveCredentialKey(master: Uint8Array, { id, label, expires }: Claims): Uint8Array {
  const info = Buffer.concat([Buffer.from(`sallyport/1 credential\0${label}\0`), u64(expires)])
  return hkdfSha256(master, id, info, KEY_BYTES)
}

export function writeCredential(master: Uint8Array, claims: Claims): string {
  const { id, label, expires } = claims
  const body = Buffer.concat([id, u64(expires), deriveCredentialKey(master, claims), short(label)])
  return PREFIX + Buffer.concat([body, getChecksum(body)]).toString('base64url')
}

/** @throws {BusError} InvalidParams, without the given credential */
export function readCredential(text: unknown): Credential {
  const bytes = typeof text === 'string' && text.startsWith(PREFIX) && fromBase64url(text.slice(PREFIX.length))
  const body = bytes && bytes.subarray(0, -CHECKSUM_BYTES)
  const credential =
    body && getChecksum(body).equals(bytes.subarray(body.length))
      ? readFields(body, fields => {
          const [id, expires] = [fields.take(ID_BYTES), fields.u64()]
          const [key, label] = [fields.take(KEY_BYTES), fields.short()]
          return isLabel(label) ? { id, expires, key, label } : undefined
        })
      : undefined
  if (credential) return credential
  throw new BusError('InvalidParams', `Invalid credential: it must be a complete "${PREFIX}…" from issueCredential`)
}

/** Detects typing errors. It proves nothing. */
const getChecksum = (body: Uint8Array): Buffer =>
  createHash('sha256').update(PREFIX).update(body).digest().subarray(0, CHECKSUM_BYTES)

/** Returns undefined for other encodings than Node's own, whose reader skips unknown characters: a typo would go unnoticed. */
function fromBase64url(text: unknown): Buffer | undefined {
  if (typeof text !== 'string') return undefined
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
