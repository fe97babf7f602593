// The credentials of a joined process, by label.
import { BusError, describeName, describeThrown, isBusError } from '@sallyport/protocol/internal/errors'
import { readCredential } from '../handshake/credential.js'

/** An array of credentials, or a function that returns the credential for a label before each session, so that it can be renewed. */
export type Credentials = readonly string[] | ((label: string) => string | Promise<string>)

/** @throws {BusError} InvalidParams if the label has no valid credential, Disconnected if the function failed */
export type CredentialProvider = (label: string) => Promise<string>

/** @throws {BusError} InvalidParams for an invalid credential, and for two with the same label */
export function createCredentialProvider(credentials: Credentials): CredentialProvider {
  if (typeof credentials === 'function') return label => callProvider(credentials, label)
  const byLabel = new Map<string, string>()
  for (const credential of credentials) {
    const { label } = readCredential(credential)
    if (byLabel.has(label)) throw invalid(`two credentials have the label ${describeName(label)}`)
    byLabel.set(label, credential)
  }
  return async label => {
    const credential = byLabel.get(label)
    if (credential !== undefined) return credential
    const labels = [...byLabel.keys()].slice(0, 10).map(describeName).join(', ')
    const available = byLabel.size === 0 ? 'the array is empty' : `available: ${labels}`
    throw invalid(`no credential has the label ${describeName(label)} (${available})`)
  }
}

async function callProvider(getCredential: Exclude<Credentials, readonly string[]>, label: string): Promise<string> {
  let credential: string
  try {
    credential = await getCredential(label)
  } catch (cause) {
    if (isBusError(cause)) throw cause
    // Retried, because a store of credentials can be temporarily unavailable.
    const text = `No credential is available for ${describeName(label)}: ${describeThrown(cause)}`
    throw new BusError('Disconnected', text, { cause, data: { delivered: 'no' } })
  }
  const { label: actual } = readCredential(credential)
  if (actual === label) return credential
  throw invalid(`the function returned a credential for ${describeName(actual)} instead of ${describeName(label)}`)
}

const invalid = (text: string): BusError => new BusError('InvalidParams', `joinBus: credentials: ${text}`)
