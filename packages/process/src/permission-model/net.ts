// The network under Node's permission model, which Node before 25 cannot deny.
import { HostList } from '../network/host-list.js'
import type { SecretOptions } from '../network/secrets.js'
import { BusError } from '@sallyport/protocol/internal/errors'

/** Node before 25 has no flag that grants the network, and denies nothing. */
export const CAN_DENY_NET: boolean = process.allowedNodeEnvironmentFlags.has('--allow-net')

export const getNetFlags = (net = false): string[] => (net && CAN_DENY_NET ? ['--allow-net'] : [])

/** Ways to close the network of a frontend if nothing does. */
export const NET_REMEDIES: string =
  'Run the host with Node.js 25 or later, use sandbox: "process" with bubblewrap (apt-get install bubblewrap), ' +
  'use sandbox: "quickjs", or start the host without a network, for example in a container with --network none'

type Net = boolean | readonly string[]

/**
 * @param isClosed - whether a frontend without `net: true` has no network
 * @throws {BusError} InvalidParams for `net: false` and a list of hosts if nothing closes the network
 */
export function checkNet(place: string, net: Net | undefined, isClosed: boolean = CAN_DENY_NET): void {
  if (net === true || net === undefined || isClosed) return
  const value = net === false ? 'false' : 'a list of hosts'
  const text = `${place}.net must not be ${value}: Node.js before 25 cannot deny the network. ${NET_REMEDIES}`
  throw new BusError('InvalidParams', text)
}

/** @throws {BusError} InvalidParams if a secret is for a host that `net` does not list: its placeholder could never be replaced */
export function checkSecrets(
  place: string,
  { net, secrets = {} }: { net?: Net | undefined; secrets?: SecretOptions | undefined },
): void {
  const listed = new HostList(typeof net === 'object' ? net : [])
  for (const [name, { hosts }] of Object.entries(secrets)) {
    const missing = hosts.find(host => !listed.covers(host))
    if (missing === undefined) continue
    const text = `${place}.secrets.${name}.hosts must be hosts of "net": add ${JSON.stringify(missing)} to that list`
    throw new BusError('InvalidParams', text)
  }
}
