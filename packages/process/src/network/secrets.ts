// Secrets of a sandbox: a frontend has placeholders, and the broker puts the values into the headers of requests to their hosts.
import { BusError } from '@sallyport/protocol/internal/errors'
import { HostList, type HostTarget } from './host-list.js'

/** Visible characters of ASCII: what every header and every variable can hold. */
export const SECRET_VALUE: RegExp = /^[\x21-\x7e]{1,4096}$/
export const SECRET_VALUE_RULE = 'a string of 1 to 4096 visible ASCII characters'
export const SECRET_NAME: RegExp = /^[A-Za-z_]\w{0,99}$/
export const SECRET_NAME_RULE = 'the name of an environment variable'

/** The option `secrets` by name. */
export type SecretOptions = Readonly<Record<string, { readonly value: string; readonly hosts: readonly string[] }>>

/** A secret as a broker has it. */
export interface Secret {
  readonly name: string
  readonly placeholder: string
  readonly value: string
  readonly hosts: readonly string[]
}

/** Returns the secrets of one start, each with a placeholder that no other start has. */
export const createSecrets = (options: SecretOptions): Secret[] =>
  Object.entries(options).map(([name, { value, hosts }]) => ({
    ...{ name, value, hosts },
    placeholder: `sallyport-secret-${crypto.randomUUID().replaceAll('-', '')}`,
  }))

/** Returns the variables of a frontend. */
export const getPlaceholders = (secrets: readonly Secret[]): Record<string, string> =>
  Object.fromEntries(secrets.map(({ name, placeholder }) => [name, placeholder]))

type HeaderValue = string | string[]

export class SecretHeaders {
  readonly #secrets: readonly (Secret & { list: HostList })[]

  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets.map(secret => ({ ...secret, list: new HostList(secret.hosts) }))
  }

  /** Returns the name of a secret whose placeholder the request has, and that must not be sent to this host, or not without encryption. */
  findMisplaced(
    headers: Readonly<Record<string, HeaderValue>>,
    path: string,
    target: HostTarget,
    isEncrypted: boolean,
  ): string | undefined {
    const texts = [path, ...Object.values(headers).flat()]
    return this.#secrets.find(
      ({ placeholder, list }) =>
        texts.some(text => text.includes(placeholder)) && !(isEncrypted && list.allows(target)),
    )?.name
  }

  /**
   * Replaces placeholders in the values of headers. Call `findMisplaced` first. Returns `undefined` if they would be longer than `most` characters: a
   * head that names a secret many times would take hundreds of times its own memory.
   */
  fill(headers: Readonly<Record<string, HeaderValue>>, most: number): Record<string, HeaderValue> | undefined {
    let size = 0
    for (const text of Object.values(headers).flat()) {
      size += text.length
      for (const { placeholder, value } of this.#secrets)
        size += (text.split(placeholder).length - 1) * (value.length - placeholder.length)
    }
    if (size > most) return undefined
    const fillText = (text: string): string =>
      this.#secrets.reduce((filled, { placeholder, value }) => filled.replaceAll(placeholder, () => value), text)
    return Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        typeof value === 'string' ? fillText(value) : value.map(fillText),
      ]),
    )
  }
}

/** @throws {BusError} InvalidParams if a secret is for a host that `net` does not list: its placeholder could never be replaced */
export function checkSecrets(
  place: string,
  { net, secrets = {} }: { net?: boolean | readonly string[] | undefined; secrets?: SecretOptions | undefined },
): void {
  const listed = new HostList(typeof net === 'object' ? net : [])
  for (const [name, { hosts }] of Object.entries(secrets)) {
    const missing = hosts.find(host => !listed.covers(host))
    if (missing === undefined) continue
    const text = `${place}.secrets.${name}.hosts must be hosts of "net": add ${JSON.stringify(missing)} to that list`
    throw new BusError('InvalidParams', text)
  }
}
