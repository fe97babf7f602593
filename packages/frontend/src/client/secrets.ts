// The placeholders of a frontend's secrets, which the broker of its network replaces by their values.
import { BusError } from '@sallyport/protocol/internal/errors'

/** A registered symbol: another copy of this package finds them, too. */
const SECRETS: unique symbol = Symbol.for('@sallyport/frontend:secrets')

type Holder = { [SECRETS]?: Readonly<Record<string, string>> }

/** @param placeholders - by the name of a secret */
export function setSecrets(placeholders: Readonly<Record<string, string>>): void {
  Object.defineProperty(globalThis, SECRETS, { value: placeholders, configurable: true })
}

/**
 * Returns the placeholder of a secret that the host has given to this frontend (`secrets` of its sandbox). In a header of a request to one of the
 * secret's hosts, the host replaces it by the value, which this frontend never has.
 *
 * @throws {BusError} `InvalidParams` if this frontend has no secret of this name
 * @example const headers = { authorization: `Bearer ${getSecret('GITHUB_TOKEN')}` }
 */
export function getSecret(name: string): string {
  const secrets = (globalThis as Holder)[SECRETS] ?? {}
  if (Object.hasOwn(secrets, name)) return secrets[name]!
  const text = `This frontend has no secret ${JSON.stringify(name)}. Add it to "secrets" of its sandbox`
  throw new BusError('InvalidParams', text)
}
