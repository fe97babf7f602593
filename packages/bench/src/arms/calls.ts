// What answers one call: the bare MessagePort, the peers, and the bus over each of its links.
import type { Arm } from '../arm.js'
import { isolationPortJson, isolationRingJson, isolationRingMsgpack, portJson, ringJson, ringMsgpack } from './links.js'
import { peerArms } from './peer.js'

/** Looks for the versions of the peers when it is asked for. */
export const callArms = (): readonly [Arm, ...Arm[]] => [
  ...peerArms(),
  portJson,
  ringJson,
  ringMsgpack,
  isolationPortJson,
  isolationRingJson,
  isolationRingMsgpack,
]
