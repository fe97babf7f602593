// A credential is what a joined process proves a label with: core issued it, and derives its key again from the bus's secret and
// from what the credential says of itself, so that no table of them is kept anywhere.
import { createHash, randomBytes } from 'node:crypto'
import { BusError, FREE_LABEL_RULE, isLabel, isLabelText, LABEL_RULE } from '@sallyport/protocol'
import { hkdfSha256, KEY_BYTES } from '@sallyport/protocol/records'
import { readWhole, short, u64 } from './fields.js'

// Reads base64url strictly: Node's own reader skips what it does not know, so that a typo would pass as another text.

/** The bytes, or undefined for what `toString('base64url')` does not write. */
function fromBase64url(text: unknown): Buffer | undefined {
  if (typeof text !== 'string') return undefined
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

// The secret of a bus: all its instances are given it, and nobody else. Credentials, and what instances tell each other, are
// derived from it.

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

export const ID_BYTES = 16
const CHECK_BYTES = 4
/** So that people and scanners for secrets know it, and the next version is another. */
const PREFIX = 'sallyport1.'

/** What a hello says of its credential, in clear. */
export interface Claims {
  readonly id: Uint8Array
  readonly label: string
  /** Milliseconds since the Unix epoch; 0: never. */
  readonly expires: number
}

export interface Credential extends Claims {
  readonly key: Uint8Array
}

export interface CredentialOptions {
  /** Of the frontend that may join with it: a label as any. */
  label: string
  /** No session is opened with it from then on. Never, unless given. */
  expires?: Date
}

/**
 * A credential for one label, as text: a secret, for the process that joins with it.
 *
 * @param secret of the bus, from `createBusSecret`
 * @throws BusError `InvalidParams`
 * @example
 * issueCredential(secret, { label: 'worker', expires: new Date('2031-01-01') }) // 'sallyport1.…'
 */
export function issueCredential(secret: string, options: CredentialOptions): string {
  const master = readBusSecret(secret)
  const { label, expires } = checkOptions(options)
  return writeCredential(master, { id: randomBytes(ID_BYTES), label, expires })
}

/** The id of a credential, which is no secret: what `revoked` takes. @throws BusError `InvalidParams` */
export const revocableId = (credential: string): string => idText(readCredential(credential).id)

export const idText = (id: Uint8Array): string => Buffer.from(id).toString('hex')

/** HKDF-SHA256 with the bus's secret as key material and the id as salt. */
export function credentialKey(master: Uint8Array, { id, label, expires }: Claims): Uint8Array {
  const info = Buffer.concat([Buffer.from(`sallyport/1 credential\0${label}\0`), u64(expires)])
  return hkdfSha256(master, id, info, KEY_BYTES)
}

export function writeCredential(master: Uint8Array, claims: Claims): string {
  const { id, label, expires } = claims
  const body = Buffer.concat([id, u64(expires), credentialKey(master, claims), short(label)])
  return PREFIX + Buffer.concat([body, check(body)]).toString('base64url')
}

/** @throws BusError `InvalidParams`, without the text that was given */
export function readCredential(given: unknown): Credential {
  const bytes = typeof given === 'string' && given.startsWith(PREFIX) && fromBase64url(given.slice(PREFIX.length))
  const body = bytes && bytes.subarray(0, -CHECK_BYTES)
  const credential =
    body && check(body).equals(bytes.subarray(body.length))
      ? readWhole(body, fields => {
          const [id, expires, key, label] = [
            fields.take(ID_BYTES),
            fields.u64(),
            fields.take(KEY_BYTES),
            fields.short(),
          ]
          return isLabel(label) ? { id, expires, key, label } : undefined
        })
      : undefined
  if (credential) return credential
  throw new BusError('InvalidParams', `This is no credential: one is a whole text "${PREFIX}…" from issueCredential`)
}

/** Finds a typing error; it proves nothing. */
const check = (body: Uint8Array): Buffer =>
  createHash('sha256').update(PREFIX).update(body).digest().subarray(0, CHECK_BYTES)

function checkOptions(options: unknown): Pick<Claims, 'label' | 'expires'> {
  const { label, expires, ...rest } = Object(options) as Record<string, unknown>
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw invalid(`unknown option ${JSON.stringify(unknown)}`)
  if (!isLabel(label)) {
    const hasForm = typeof label === 'string' && isLabelText(label)
    throw invalid(`label must be ${hasForm ? FREE_LABEL_RULE : LABEL_RULE}`)
  }
  if (expires === undefined) return { label, expires: 0 }
  const time = expires instanceof Date ? expires.getTime() : NaN
  if (!(time > Date.now())) throw invalid('expires must be a Date in the future')
  return { label, expires: time }
}

const invalid = (text: string): BusError => new BusError('InvalidParams', `issueCredential: ${text}`)
