// Reads base64url strictly: Node's own reader skips what it does not know, so that a typo would pass as another text.

/** The bytes, or undefined for what `toString('base64url')` does not write. */
export function fromBase64url(text: unknown): Buffer | undefined {
  if (typeof text !== 'string') return undefined
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
