// A codec that comes in a file of the user's.

export interface OwnCodec {
  /** Lower-case letters, digits and dashes. */
  name: string
  /** Writes one message: a request with its arguments. */
  encode(message: unknown): Uint8Array
  /** Reads it again; what comes out must be, as JSON, what went in. */
  decode(bytes: Uint8Array): unknown
}

const NAME = /^[a-z0-9][a-z0-9-]*$/

/**
 * @param module a URL
 * @throws Error where its default export is no codec
 */
export async function codecIn(module: string): Promise<OwnCodec> {
  const { default: codec } = (await import(module)) as { default?: Partial<OwnCodec> }
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function') {
    throw new Error('its default export is no { name, encode, decode }')
  }
  if (typeof codec.name !== 'string' || !NAME.test(codec.name)) {
    throw new Error(`its name must be of lower-case letters, digits and dashes, not ${JSON.stringify(codec.name)}`)
  }
  return codec as OwnCodec
}
