// Addresses of this machine and of private networks. Requests reach them only if the host or a pattern opens them.
import { lookup as lookupName, type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

const CLOSED = new BlockList()
for (const subnet of [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4'],
  // Relays of 6to4; the metadata of Azure's virtual machines.
  ...['192.88.99.0/24', '168.63.129.16'],
  // Unspecified, loopback and IPv4-compatible; translated IPv4; local NAT64; discarded; Teredo; 6to4; unique local; link-local; site-local; multicast.
  ...[
    '::/96',
    '::ffff:0:0:0/96',
    '64:ff9b:1::/48',
    '100::/64',
    '2001::/32',
    '2002::/16',
    'fc00::/7',
    'fe80::/10',
    'fec0::/10',
    'ff00::/8',
  ],
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
  if (isIP(address) === 0) return true
  return isListed(CLOSED, getNat64Address(address) ?? address)
}

/** Returns the IPv4 address within one of the well-known prefix of NAT64, 64:ff9b::/96. */
function getNat64Address(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined
  const [found, high = '0', low = '0'] =
    /^\[64:ff9b::(?:([\da-f]+):)?([\da-f]+)?\]$/.exec(new URL(`http://[${address}]`).hostname) ?? []
  if (found === undefined) return undefined
  const bits = Number.parseInt(high, 16) * 0x1_0000 + Number.parseInt(low, 16)
  return [24, 16, 8, 0].map(shift => (bits >>> shift) & 0xff).join('.')
}

/** The reason why a host is not connected to. Its message is for the host's log. */
export class PrivateAddressError extends Error {
  constructor(hostname: string, address: string) {
    super(
      `Connection refused: "${hostname}" has the private address ${address}. ` +
        'Add the host or its network to the option "privateNetworks" of http(), or name the IP address or localhost in a URL pattern without wildcards.',
    )
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
        const fail = (reason: Error): void => callback(reason as NodeJS.ErrnoException, '', 0)
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
