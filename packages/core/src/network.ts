// Entry for networks, and all that core knows of them: the services for a network module in core's thread, and a host whose core is elsewhere. Its code
// is imported with the first call.
import { checkRuntime } from './host/entry.js'
import type { CreateRemoteCore, RemoteEndpoint, RemoteHost, RemoteHostNames } from './host/remote-host.js'
import type { RemoteHostOptions } from './options/types.js'

/**
 * Starts a host without core. Resolves when core has accepted each of `frontends`; their modules are loaded in a later tick.
 *
 * @param createCore - returns core as these frontends see it
 * @throws {BusError} InvalidParams for an unknown or wrong option, or one that belongs to core; the error with which core rejects a frontend, and
 * the error of a gate that cannot start
 */
export async function createRemoteHost<Core extends RemoteEndpoint>(
  options: RemoteHostOptions,
  names: RemoteHostNames,
  createCore: CreateRemoteCore<Core>,
): Promise<RemoteHost<Core>> {
  checkRuntime()
  const { startRemoteHost } = await import('./host/remote-host.js')
  return startRemoteHost(options, names, createCore)
}

/** Checks the options of `createRemoteHost`, before anything is connected. @throws {BusError} InvalidParams */
export async function checkRemoteHost(where: string, options: RemoteHostOptions): Promise<void> {
  checkRuntime()
  const { resolveRemoteHost } = await import('./host/remote-host.js')
  await resolveRemoteHost(where, options)
}

export type { Link } from '@sallyport/protocol/internal/wire'
export type { Pattern } from './acl/types.js'
export type { CoreCommand, LinkOffer, NetworkCounts, NetworkStats } from './contract/host-core.js'
export type { Accepted, Hub, JoinNetwork, Network, NetworkSession } from './contract/core-network.js'
export type { CoreEndpoint, PooledSession } from './life/frontends/types.js'
export type { RemoteFrontend, RemoteHost, RemoteServices } from './host/remote-host.js'
export type { RemoteHostOptions } from './options/types.js'
export type { BusEvents } from './life/reporting/events.js'
export type { JoinedStats } from './life/reporting/stats.js'
export { checkSecretOptions } from './shared/validate.js'
