// The list `net` of a sandbox: which hosts a frontend can reach.
import { parseForeignUrl } from '@sallyport/protocol/internal/util'

/** One entry: `api.github.com`, `*.npmjs.org:443`, `localhost:*`. */
interface HostPattern {
  /** A name or an IP address as in a URL, without brackets. With `isWildcard`, the end of a name: `.npmjs.org`, or nothing for all hosts. */
  readonly host: string
  readonly isWildcard: boolean
  /** Without one, those of HTTP and HTTPS. */
  readonly port: number | '*' | undefined
}

/** A host and a port that a frontend wants. */
export interface HostTarget {
  /** As in a URL, without brackets and without a dot at the end. */
  readonly hostname: string
  readonly port: number
}

/** What an entry must be, for error texts. */
export const HOST_RULE = 'a host, such as "api.github.com", "*.npmjs.org:443" or "[::1]:8080"'
export const HOSTS_RULE = 'an array with at least one host'
export const NET_RULE = 'true, false or an array of hosts'

const DEFAULT_PORTS: readonly number[] = [80, 443]
const ENTRY = /^(\*|(?:\*\.)?(?:\[[\da-f:.]+\]|[^\s/?#@\\:*[\]]+))(?::(\*|\d{1,5}))?$/i
/** User information, a path and the like must not hide in an authority. */
const AUTHORITY = /^[^\s/?#@\\]+$/

/** Returns `undefined` unless the text is an entry of the list. */
export function parseHostPattern(text: string): HostPattern | undefined {
  const [, name, portText] = ENTRY.exec(text) ?? []
  if (name === undefined) return undefined
  const port = portText === undefined || portText === '*' ? portText : Number(portText)
  if (typeof port === 'number' && (port < 1 || port > 65_535)) return undefined
  if (name === '*') return { host: '', isWildcard: true, port }
  const isWildcard = name.startsWith('*.')
  const host = parseHostname(isWildcard ? name.slice(2) : name)
  return host === undefined ? undefined : { host: isWildcard ? `.${host}` : host, isWildcard, port }
}

/** Returns the host of a request, or `undefined` for a malformed authority. @param port - that of the scheme */
export function parseAuthority(authority: string, port: number | undefined): HostTarget | undefined {
  if (!AUTHORITY.test(authority)) return undefined
  const [, name = authority, portText] = /^(.*?)(?::(\d{1,5}))?$/.exec(authority) ?? []
  const hostname = parseHostname(name)
  const wanted = portText === undefined ? port : Number(portText)
  if (hostname === undefined || wanted === undefined || wanted < 1 || wanted > 65_535) return undefined
  return { hostname, port: wanted }
}

/** Normalizes IP addresses in other forms, and names in other scripts, as `fetch` does. */
function parseHostname(name: string): string | undefined {
  const url = parseForeignUrl(`http://${name}/`)
  if (!url || url.port !== '' || url.pathname !== '/' || url.username !== '') return undefined
  return url.hostname.replaceAll(/[[\]]/g, '').replace(/\.$/, '') || undefined
}

/** Returns the target as an entry of a list. */
export const formatTarget = ({ hostname, port }: HostTarget): string =>
  `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`

export class HostList {
  readonly #patterns: readonly HostPattern[]

  /** @param entries - checked by `parseHostPattern` */
  constructor(entries: readonly string[]) {
    this.#patterns = entries.flatMap(entry => parseHostPattern(entry) ?? [])
  }

  allows(target: HostTarget): boolean {
    return this.#patterns.some(pattern => matches(pattern, target))
  }

  /** Returns true if the list has all hosts of an entry. One without a port stands for port 443 here. */
  covers(entry: string): boolean {
    const { host, isWildcard, port = 443 } = parseHostPattern(entry)!
    return this.#patterns.some(pattern => {
      const hasPort = pattern.port === '*' || (port !== '*' && hasPortOf(pattern, port))
      return hasPort && (pattern.isWildcard ? host.endsWith(pattern.host) : !isWildcard && host === pattern.host)
    })
  }

  /** Returns true if an entry is this very IP address, or `localhost`: a private one is then meant. The owner of a name chooses its address. */
  namesAddress(target: HostTarget): boolean {
    const { hostname } = target
    if (!isAddress(hostname) && hostname !== 'localhost') return false
    return this.#patterns.some(pattern => !pattern.isWildcard && matches(pattern, target))
  }
}

/** Of a host as in a URL, where IPv4 addresses have one form. `node:net` would be loaded with the options. */
const isAddress = (hostname: string): boolean => hostname.includes(':') || /^[\d.]+$/.test(hostname)

const hasPortOf = ({ port }: HostPattern, wanted: number): boolean =>
  port === undefined ? DEFAULT_PORTS.includes(wanted) : port === '*' || port === wanted

const matches = (pattern: HostPattern, { hostname, port }: HostTarget): boolean =>
  hasPortOf(pattern, port) && (pattern.isWildcard ? hostname.endsWith(pattern.host) : hostname === pattern.host)
