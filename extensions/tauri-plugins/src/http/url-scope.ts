// URL scopes: patterns of Tauri's http plugin, and URLs matched against them in linear time. The patterns are those of URLPattern without
// groups, regular expressions and modifiers: its library backtracks for seconds on a long URL.
import { isIP } from 'node:net'
import type { CommandContext } from '@sallyport/core'
import { hasBoundedHost, parseForeignUrl } from '@sallyport/paths/internal/addresses'
import { domainToASCII } from 'node:url'
import { getEntries } from '../shared/plugin.js'

/** The literals of a pattern. Anything can stand between two of them. */
type Glob = readonly string[]

export interface UrlPattern {
  readonly protocol: Glob
  readonly hostname: Glob
  /** `undefined` stands for the default port of the URL's protocol. */
  readonly port: Glob | undefined
  readonly pathname: Glob
  readonly decodedPathname: Glob
  readonly search: Glob
  readonly hash: Glob
}

const ANYTHING: Glob = ['', '']

/**
 * Parses an entry of a scope: a URL pattern, or `{ url }` with one. An empty search, hash or path, and the path `/`, stand for any.
 * @throws {Error} if the entry has another form, or its pattern has groups, regular expressions or credentials
 */
export function parseUrlPattern(entry: unknown): UrlPattern {
  const text: unknown = typeof entry === 'object' && entry !== null ? (entry as { url?: unknown }).url : entry
  if (typeof text !== 'string')
    throw new Error('an entry must be a URL pattern, or an object with a URL pattern as `url`')
  const fail: Fail = remedy => {
    throw new Error(`\`${text}\` is not a valid URL pattern. ${remedy}.`)
  }
  const [, protocol, authority = '', rest = ''] = /^([a-z*][a-z\d*.-]*):\/\/([^/?#]*)(.*)/isu.exec(text) ?? []
  if (protocol === undefined) return fail('Begin it with a scheme and a host, as in "https://*.example.com/*"')
  if (authority.includes('@')) fail('Remove the credentials')
  if (authority.endsWith('*') && rest.startsWith('?')) fail('Write "/" before "?"')
  const [, host, port] = /^(\[[\da-f:.]+\]|[^:]+)(?::(\d*|\*))?$/iu.exec(authority) ?? []
  if (host === undefined) return fail('Use one host, and a number or "*" as the port')
  const [, path, question, search = '', hash = ''] =
    /^((?:\\[^?#]|[^?#\\])*)(?:(\\?\?)((?:\\[^#]|[^#\\])*))?(?:\\?#(.*))?$/su.exec(rest) ?? []
  if (path === undefined) return fail('Remove the "\\" at its end')
  if (question === '?' && path.endsWith('*'))
    fail('Write "\\?" for a search after "*", since "?" alone is a modifier there')
  const isAnyPath = path === '' || path === '/'
  const pathname = parseGlob(path, fail)
  if (/(?:^|[/\\])\.{1,2}(?:[/\\]|$)/.test(decodePath(pathname.join('*')))) fail('Remove the "." and ".." segments')
  return {
    protocol: protocol.toLowerCase().split(/\*+/),
    hostname: parseHostname(host, fail),
    port: port ? port.split('*') : undefined,
    pathname: isAnyPath ? ANYTHING : pathname.map(literal => encode('pathname', literal)),
    decodedPathname: isAnyPath ? ANYTHING : pathname.map(literal => encode('pathname', decodePath(literal))),
    search: search === '' ? ANYTHING : parseGlob(search, fail).map(literal => encode('search', literal)),
    hash: hash === '' ? ANYTHING : parseGlob(hash, fail).map(literal => encode('hash', literal)),
  }
}

type Fail = (remedy: string) => never

/** Returns the literals between the wildcards. `**` equals `*`, and a backslash escapes the next character. */
function parseGlob(component: string, fail: Fail): string[] {
  const literals = ['']
  for (const [token] of component.matchAll(/\\.|\*+|:(?=[\p{ID_Start}_$])|./gsu)) {
    if (token.startsWith('*')) literals.push('')
    else if (token.startsWith('\\') && token.length > 1) literals[literals.length - 1] += token.slice(1)
    else if (/^[{}()+?:\\]$/.test(token) && (token !== ':' || /:[\p{ID_Start}_$]/u.test(component)))
      fail(`Use "*" instead of groups and regular expressions, and "\\${token}" for the character`)
    else literals[literals.length - 1] += token
  }
  return literals
}

function parseHostname(host: string, fail: Fail): Glob {
  if (!host.includes('*')) {
    const url = parseForeignUrl(`http://${host.replaceAll(/\\(.)/gu, '$1')}`)
    if (/[{}()?+]/.test(host) || !url) return fail('Use a valid host, with "*" as the only wildcard')
    return [withoutDot(url.hostname)]
  }
  if (!hasBoundedHost(`file://${host}`)) fail('Use a host of at most 253 characters, and 63 between two dots')
  const labels = withoutDot(host)
    .split('.')
    .map(label => (/^[\p{ASCII}]*$/u.test(label) ? label.toLowerCase() : domainToASCII(label)))
  if (!labels.every(label => /^[\w*-]+$/.test(label))) fail('Use a valid host, with "*" as the only wildcard')
  return labels.join('.').split(/\*+/)
}

/** Dots at the end of a name stand for the root, and some resolvers ignore more than one. */
export const withoutDot = (hostname: string): string => hostname.replace(/\.+$/, '')

/** A slash before the prefix is added to a path, and `?` or `#` to others. The prefix keeps a first slash. */
function encode(part: 'pathname' | 'search' | 'hash', literal: string): string {
  const url = new URL('http://x')
  url[part] = `-${literal}`
  return url[part].slice(2)
}

/** Decodes ASCII characters once, as most servers do before they look for a file. */
const decodePath = (path: string): string =>
  path.replaceAll(/%([\da-f]{2})/gi, (encoded, hex: string) => {
    const code = Number.parseInt(hex, 16)
    return code < 0x80 ? String.fromCharCode(code) : encoded.toUpperCase()
  })

function matchesGlob(text: string, [first = '', ...others]: Glob): boolean {
  const last = others.pop()
  if (last === undefined) return text === first
  const end = text.length - last.length
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false
  let at = first.length
  for (const literal of others) {
    const found = text.indexOf(literal, at)
    if (found === -1 || found + literal.length > end) return false
    at = found + literal.length
  }
  return true
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' }

type Subject = Readonly<Record<keyof UrlPattern, string>>

function toSubject({ protocol, hostname, port, pathname, search, hash }: URL): Subject {
  const scheme = protocol.slice(0, -1)
  const decoded = new URL('http://x')
  decoded.pathname = decodePath(pathname)
  return {
    protocol: scheme,
    hostname: withoutDot(hostname),
    port: port || (DEFAULT_PORTS[scheme] ?? ''),
    pathname,
    decodedPathname: decoded.pathname,
    search: search.slice(1),
    hash: hash.slice(1),
  }
}

const matchesOrigin = (pattern: UrlPattern, url: Subject): boolean =>
  matchesGlob(url.protocol, pattern.protocol) &&
  matchesGlob(url.hostname, pattern.hostname) &&
  (pattern.port ? matchesGlob(url.port, pattern.port) : url.port === (DEFAULT_PORTS[url.protocol] ?? ''))

/** Both spellings of the path must match, so that `/public/..%2fadmin` does not match `/public/*`. */
const allows = (pattern: UrlPattern, url: Subject): boolean =>
  matchesOrigin(pattern, url) &&
  matchesGlob(url.pathname, pattern.pathname) &&
  matchesGlob(url.decodedPathname, pattern.decodedPathname) &&
  matchesGlob(url.search, pattern.search) &&
  matchesGlob(url.hash, pattern.hash)

/** One spelling of the path is enough; servers may merge slashes. The hash is never sent, so it cannot avoid a denial. */
const denies = (pattern: UrlPattern, url: Subject): boolean =>
  matchesOrigin(pattern, url) &&
  (matchesGlob(url.pathname, pattern.pathname) ||
    matchesGlob(url.decodedPathname, pattern.decodedPathname) ||
    matchesGlob(url.decodedPathname.replaceAll(/\/{2,}/g, '/'), pattern.decodedPathname)) &&
  matchesGlob(url.search, pattern.search)

export class UrlScope {
  readonly #allow: readonly UrlPattern[]
  readonly #deny: readonly UrlPattern[]

  constructor(allow: readonly unknown[], deny: readonly unknown[] = []) {
    this.#allow = allow.map(parseUrlPattern)
    this.#deny = deny.map(parseUrlPattern)
  }

  /** Returns true if the scope allows the URL. */
  allows(url: URL): boolean {
    return this.#find(url).length > 0
  }

  /** Returns true if a pattern that allows the URL has its host without wildcards, and the host is an IP address or `localhost`. */
  namesAddress(url: URL): boolean {
    return isAddressName(url.hostname) && this.#find(url).some(({ hostname }) => hostname.length === 1)
  }

  #find(url: URL): UrlPattern[] {
    const subject = toSubject(url)
    if (this.#deny.some(pattern => denies(pattern, subject))) return []
    return this.#allow.filter(pattern => allows(pattern, subject))
  }
}

const isAddressName = (hostname: string): boolean =>
  isIP(hostname.replaceAll(/[[\]]/g, '')) !== 0 || /(?:^|\.)localhost\.*$/.test(hostname)

const scopes = new WeakMap<CommandContext['scope'], UrlScope>()

/** Returns the scope of a command as URL patterns, which are parsed once for each change of the capabilities. */
export function getUrlScope(scope: CommandContext['scope']): UrlScope {
  let urls = scopes.get(scope)
  if (!urls) {
    const { allow, deny } = getEntries(scope)
    urls = new UrlScope(allow, deny)
    scopes.set(scope, urls)
  }
  return urls
}
