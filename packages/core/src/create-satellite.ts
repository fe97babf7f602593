// Where a process begins that joins a bus whose core is elsewhere. Transports build on it; what it runs on is loaded with the first.
import type { FarCore } from './host/satellite/far-core.js'
import type { SatelliteNames } from './host/satellite/assemble.js'
import type { SatelliteOptions } from './host/satellite/satellite-options.js'
import type { Satellite } from './host/satellite/satellite.js'

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
export async function createSatellite(
  options: SatelliteOptions,
  far: FarCore,
  names: SatelliteNames = { where: 'createSatellite', name: 'satellite' },
): Promise<Satellite> {
  const { assemble } = await import('./host/satellite/assemble.js')
  return assemble(options, far, names, FIRST_LINK_MS)
}
