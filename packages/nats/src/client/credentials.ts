// The credentials that a joined process holds, by the labels that are in them.
import { BusError, describeName, describeThrown, isBusError } from '@sallyport/protocol'
import { readCredential } from '../handshake/credential.js'

/** A list of credentials, or what gives one for a label: it is asked before each session, so that it may renew what expires. */
export type Credentials = readonly string[] | ((label: string) => string | Promise<string>)

/** @throws BusError `InvalidParams` where there is none for this label, or what was given is none */
export type CredentialProvider = (label: string) => Promise<string>

/** @throws BusError `InvalidParams` for a text that is no credential, and for two with one label */
export function createCredentialProvider(credentials: Credentials): CredentialProvider {
  if (typeof credentials === 'function') return label => ask(credentials, label)
  const byLabel = new Map<string, string>()
  for (const credential of credentials) {
    const { label } = readCredential(credential)
    if (byLabel.has(label)) throw wrong(`there are two for the label ${describeName(label)}`)
    byLabel.set(label, credential)
  }
  return async label => {
    const credential = byLabel.get(label)
    if (credential !== undefined) return credential
    const there = [...byLabel.keys()].slice(0, 10).map(describeName).join(', ')
    throw wrong(
      `there is none for the label ${describeName(label)}: there ${byLabel.size === 0 ? 'are none' : `is ${there}`}`,
    )
  }
}

async function ask(give: (label: string) => string | Promise<string>, label: string): Promise<string> {
  const credential = await asked(give, label)
  const { label: other } = readCredential(credential)
  if (other === label) return credential
  throw wrong(`for the label ${describeName(label)} one for ${describeName(other)} was given`)
}

/** What keeps them may be out of reach for a while: it is asked again. */
async function asked(give: (label: string) => string | Promise<string>, label: string): Promise<string> {
  try {
    return await give(label)
  } catch (cause) {
    if (isBusError(cause)) throw cause
    const text = `There is no credential for ${describeName(label)} now: ${describeThrown(cause)}`
    throw new BusError('Disconnected', text, { cause, data: { delivered: 'no' } })
  }
}

const wrong = (what: string): BusError => new BusError('InvalidParams', `joinBus: credentials: ${what}`)
