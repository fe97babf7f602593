// URLs that others have written. Node.js 20 and 22 take quadratic time for the host of a URL (Punycode, and the order of marks), even if its name is
// far longer than any in DNS, and whoever reads the URL serves others in the same thread. All else of a URL takes linear time.

/** A `blob:` URL has the origin of the URL in it. */
const START = /^(?:[\0-\x20]*blob:)?[\0-\x20]*(?:([a-z][a-z\d+.-]*):)?([/\\]*)([^/\\?#]*)/i
/** The host of another scheme is no name, and is not looked at. */
const SPECIAL = /^(?:https?|wss?|ftp)$/i

/** Header fields that a redirect takes to no other origin: who sends the request, and to which host. */
export const ORIGIN_FIELDS: readonly string[] = 'authorization cookie host proxy-authorization www-authenticate'.split(
  ' ',
)
/** Header fields of a body, which a redirect without it drops. */
export const BODY_FIELDS: readonly string[] =
  'content-encoding content-language content-length content-location content-type'.split(' ')

/** Returns `undefined` for a text that `URL` refuses, and for a host that is longer than DNS allows. */
export function parseForeignUrl(text: string, base?: string | URL): URL | undefined {
  const isBounded = hasBoundedHost(text) && hasBoundedHost(String(base ?? ''))
  return isBounded && URL.canParse(text, base as string) ? new URL(text, base) : undefined
}

/** Returns false for a URL with a host of more than 253 characters, or 63 between two dots, however it is spelled, and for a malformed escape in it. */
export function hasBoundedHost(url: string): boolean {
  try {
    const [, scheme = '', slashes = '', authority = ''] = START.exec(url.replaceAll(/[\t\n\r]/g, ''))!
    const isFile = scheme.toLowerCase() === 'file'
    if (isFile ? slashes.length !== 2 : scheme === '' ? slashes.length < 2 : !SPECIAL.test(scheme)) return true
    // A `file:` URL has neither a login nor a port: "@" and ":" are parts of its host until that is refused.
    const encoded = isFile ? authority : authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, '')
    const host = decodeURIComponent(encoded)
    return host.length <= 253 && host.split(/[.\u3002\uff0e\uff61]/).every(label => label.length <= 63)
  } catch {
    return false
  }
}
