// The entry `@sallyport/paths/internal/addresses`: addresses of this machine and of private networks. Requests reach them only if the host or a
// pattern opens them.
import { lookup as lookupName, type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { parseForeignUrl } from '@sallyport/protocol/internal/util'
export { BODY_FIELDS, hasBoundedHost, ORIGIN_FIELDS, parseForeignUrl } from '@sallyport/protocol/internal/util'

/**
 * All networks that are not "globally reachable" in IANA's registries of special-purpose addresses (RFC 6890), in their order, and others
 * that lead to this machine or a private network.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const CLOSED = new BlockList()
for (const subnet of [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  // Documentation (RFC 5737), relays of 6to4, benchmarks.
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  // Multicast, reserved; the metadata of Azure's virtual machines.
  ...['224.0.0.0/4', '240.0.0.0/4', '168.63.129.16'],
  // Unspecified, loopback and IPv4-compatible; translated IPv4; local NAT64; discarded, dummy.
  ...['::/96', '::ffff:0:0:0/96', '64:ff9b:1::/48', '100::/64', '100:0:0:1::/64'],
  // Teredo; benchmarks; documentation (RFC 3849, RFC 9637); 6to4; segment routing (RFC 9602).
  ...['2001::/32', '2001:2::/48', '2001:db8::/32', '2002::/16', '3fff::/20', '5f00::/16'],
  // Unique local; link-local; site-local; multicast.
  ...['fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
])
  addSubnet(CLOSED, subnet)

/** Adds an address, or a subnet as in `10.0.0.0/8`. Returns false for other text. */
function addSubnet(list: BlockList, text: string): boolean {
  const [address = '', prefix, ...others] = text.split('/')
  const family = isIP(address)
  const bits = family === 4 ? 32 : 128
  const length = prefix === undefined ? bits : Number(prefix)
  if (family === 0 || others.length > 0 || !/^\d{0,3}$/.test(prefix ?? '') || prefix === '' || length > bits)
    return false
  list.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6')
  return true
}

/** Mapped IPv4 addresses are compared as IPv4 addresses by `BlockList` itself. */
const isListed = (list: BlockList, address: string): boolean =>
  list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')

/** Returns true for an address of this machine, of a private network, or of a range that no public host has. */
export function isPrivateAddress(text: string): boolean {
  const address = text.replace(/%.*$/, '')
  if (isIP(address) === 0 || isIsatap(address)) return true
  return isListed(CLOSED, getNat64Address(address) ?? address)
}

/** Returns true for an address that a host can send to an IPv4 address in a tunnel (ISATAP, RFC 5214, 6.1). Any network can have it. */
function isIsatap(address: string): boolean {
  if (isIP(address) !== 6) return false
  const [before = '', after = ''] = parseForeignUrl(`http://[${address}]`)!.hostname.slice(1, -1).split('::')
  const toGroups = (text: string): string[] => text.split(':').filter(Boolean)
  const [first, last] = [toGroups(before), toGroups(after)]
  const groups = [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last]
  return (groups[4] === '0' || groups[4] === '200') && groups[5] === '5efe'
}

/** Returns the IPv4 address within one of the well-known prefix of NAT64, 64:ff9b::/96. */
function getNat64Address(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined
  const [found, high = '0', low = '0'] =
    /^\[64:ff9b::(?:([\da-f]+):)?([\da-f]+)?\]$/.exec(parseForeignUrl(`http://[${address}]`)!.hostname) ?? []
  if (found === undefined) return undefined
  const bits = Number.parseInt(high, 16) * 0x1_0000 + Number.parseInt(low, 16)
  return [24, 16, 8, 0].map(shift => (bits >>> shift) & 0xff).join('.')
}

/** The reason why a host is not connected to. Its message is for the host's log, without a remedy: callers have different options. */
export class PrivateAddressError extends Error {
  constructor(hostname: string, address: string) {
    super(`Connection refused: "${hostname}" has the private address ${address}`)
  }
}

/** Resolves a name to all of its addresses, as `dns.lookup` does with `all: true`. */
export type Lookup = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

const LOOPBACK: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
]

/**
 * Options of connections to names with several addresses. Node gives up an attempt after 250 ms, by a timer that runs before what has arrived is read:
 * a thread that was busy for as long would lose a host that answered at once.
 */
export const SEVERAL_ADDRESSES = { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 2000 } as const

/** Checks the addresses of hosts, and resolves their names. */
export class AddressFilter {
  readonly #hosts = new Set<string>()
  readonly #opened = new BlockList()
  readonly #lookup: Lookup

  /** @param privateNetworks names of hosts, IP addresses and subnets that are open */
  constructor(privateNetworks: readonly string[] = [], lookup: Lookup = lookupName) {
    for (const name of privateNetworks) if (!addSubnet(this.#opened, name)) this.#hosts.add(name.toLowerCase())
    this.#lookup = lookup
  }

  /**
   * Returns the function that resolves the host of a URL for its connection, so that no second resolution can give other addresses.
   *
   * @param isNamed true if a pattern names this very address
   * @throws {PrivateAddressError} if the host is `localhost` or a private address, and not open
   */
  getLookup(hostname: string, isNamed: boolean): LookupFunction {
    const isOpen = isNamed || this.#hosts.has(hostname)
    const check = (address: string): void => {
      if (!isOpen && isPrivateAddress(address) && !isListed(this.#opened, address))
        throw new PrivateAddressError(hostname, address)
    }
    // Node looks up no IP address.
    if (isIP(hostname) !== 0) check(hostname)
    const isLocal = /(?:^|\.)localhost$/.test(hostname)
    if (isLocal) check('127.0.0.1')
    return (name, options, callback) => {
      const finish = (error: Error | null, found: readonly LookupAddress[]): void => {
        const fail = (reason: Error): void => callback(reason, '', 0)
        if (error) return fail(error)
        const wanted = options.family === 4 || options.family === 6 ? options.family : 0
        const addresses = found.filter(({ family }) => wanted === 0 || family === wanted)
        const [first] = addresses
        if (!first) return fail(new Error(`"${hostname}" has no address`))
        try {
          if (!isLocal) for (const { address } of found) check(address)
        } catch (refused) {
          return fail(refused as Error)
        }
        if (options.all) callback(null, addresses)
        else callback(null, first.address, first.family)
      }
      if (isLocal) finish(null, LOOPBACK)
      else this.#lookup(name, { ...options, all: true }, finish)
    }
  }
}
