// What a network module imports: the core's side of a network, and a host whose core is elsewhere.
export type { NetworkCounts, NetworkStats } from './control.js'
export type { Accepted, Hub, JoinNetwork, Network, NetworkSession } from './network-types.js'
export { createSatellite } from './create-satellite.js'
export type { Lane } from './host/lanes.js'
export type { SatelliteNames } from './host/satellite/assemble.js'
export type { FarCore, FarSession } from './host/satellite/far-core.js'
export type { SatelliteOptions, SatellitePattern } from './host/satellite/satellite-options.js'
export type { LaneRequest, Satellite, SatelliteEvents, SatelliteStats } from './host/satellite/satellite.js'
