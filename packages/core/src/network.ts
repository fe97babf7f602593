// Where a process begins that joins a bus whose core is elsewhere. Transports build on it; what it runs on is loaded with the first.
import type { RemoteHostOptions } from './remote/options.js'
import type { RemoteHost, RemoteHostNames } from './remote/remote-host.js'
import type { SessionDialer } from './remote/session.js'

/** Milliseconds for the first link of a frontend. */
const FIRST_LINK_MS = 10_000

/**
 * Runs frontends, with their gates, and connections of the calling thread, over sessions with a core that is elsewhere. Resolves
 * when core has taken each of `frontends`; their modules are loaded after that, in a later turn. What has lost its session has
 * another as soon as core answers again: it is no failure of a frontend's.
 *
 * @param names how a transport that builds on this speaks of itself, in error texts
 * @throws BusError `InvalidParams` for an unknown or wrong option, or one that is core's; `Disconnected` where no core answers
 * within 10 s; what core refuses a frontend with, and what goes wrong while a gate starts
 */
export async function connectHost(
  options: RemoteHostOptions,
  far: SessionDialer,
  names: RemoteHostNames = { where: 'createSatellite', name: 'satellite' },
): Promise<RemoteHost> {
  const { assemble } = await import('./remote/remote-host.js')
  return assemble(options, far, names, FIRST_LINK_MS)
}

// What a network module imports: the core's side of a network, and a host whose core is elsewhere.
export type { NetworkCounts, NetworkStats } from './contract/control.js'
export type { Accepted, Hub, JoinNetwork, Network, NetworkSession } from './contract/network.js'

export type { PooledSession } from './host/frontends/worker-runtime.js'
export type { RemoteHostNames } from './remote/remote-host.js'
export type { SessionDialer, RemoteSession } from './remote/session.js'
export type { RemoteHostOptions, RemoteHostPattern } from './remote/options.js'
export type { ConnectionRequest, RemoteHost, RemoteHostEvents, RemoteHostStats } from './remote/remote-host.js'
