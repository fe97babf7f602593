// Entry for transports: what a network module in core implements, and a host without core, whose code is imported with the first call.
import type { SessionDialer } from './contract/core-network.js'
import { checkRuntime } from './host/entry.js'
import type { RemoteHost, RemoteHostNames, RemoteHostOptions } from './host/remote/remote-host.js'

/** Time for the first link of a frontend. */
const FIRST_LINK_TIMEOUT_MS = 10_000

/**
 * Runs frontends with their gates, and connections of the calling thread, over sessions with a core in another process. Resolves
 * when core has accepted each of `frontends`; their modules are loaded in a later tick. A frontend that loses its session gets
 * another one as soon as core answers again, which does not count as a failure.
 *
 * @param names - how a transport that builds on this calls itself, in error texts
 * @throws {BusError} InvalidParams for an unknown or wrong option, or one that belongs to core; Disconnected if no core answers within
 * 10 s; the error with which core rejects a frontend, and the error of a gate that cannot start
 */
export async function connectHost(
  options: RemoteHostOptions,
  dialer: SessionDialer,
  names: RemoteHostNames = { where: 'connectHost', name: 'host' },
): Promise<RemoteHost> {
  checkRuntime()
  const { startRemoteHost } = await import('./host/remote/remote-host.js')
  return startRemoteHost(options, dialer, names, FIRST_LINK_TIMEOUT_MS)
}

export type { Link } from '@sallyport/protocol/internal/wire'
export type { Pattern } from './acl/types.js'
export type { NetworkCounts, NetworkStats } from './contract/host-core.js'
export type {
  Accepted,
  Hub,
  JoinNetwork,
  Network,
  NetworkSession,
  RemoteSession,
  SessionDialer,
} from './contract/core-network.js'
export type { PooledSession } from './host/frontends/types.js'
export type {
  RemoteHost,
  RemoteHostEvents,
  RemoteHostNames,
  RemoteHostOptions,
  RemoteHostStats,
  SessionRequest,
} from './host/remote/remote-host.js'
export { checkSecretOptions } from './shared/validate.js'
