// The arms of scenarios that compare settings of the bus. The first of each list is the reference. Functions read the versions of the peers.
import type { Arm, Arms } from '../model/scenario.js'
import { isolationRingJson, portJson, ringJson, ringMsgpack } from './bus.js'
import { birpcArm, peerArms, rawPort } from './threads.js'

/** The bus over both links, and with a gate. */
const both: Arm[] = [portJson, ringJson, isolationRingJson]

export const channel: Arms = [rawPort, ...both]
export const shapes = (): Arms => [rawPort, birpcArm(), ...both]
export const callArms = (): Arms => [rawPort, ...peerArms(), ...both, ringMsgpack]

/** The noise check compares an arm `…-again` with the arm of the same name. */
export const noise: Arms = [ringJson, { ...ringJson, id: 'ring-json-again', title: 'ring JSON, again' }]
