// The arms of scenarios that compare settings of the bus. The first of each list is the reference.
import type { Arm, Arms } from '../model/scenario.js'
import * as bus from './bus.js'
import { peerArms, rawPort } from './threads.js'

const { busArm, isolationRingJson, portJson, RING_JSON, ringJson, ringMsgpack } = bus

const peer = (wanted: string): Arm[] => peerArms().filter(({ id }) => id === wanted)

export const shapes = (): Arms => [rawPort, ...peer('birpc'), portJson, ringJson, isolationRingJson]

/** The bus over both links, and with a gate. */
export const both: Arms = [rawPort, portJson, ringJson, isolationRingJson]

/** All arms that answer a call. Reads the versions of the peers. */
export const callArms = (): Arms => [rawPort, ...peerArms(), portJson, ringJson, ringMsgpack, isolationRingJson]

/** The noise check compares an arm `…-again` with the arm of the same name. */
export const noise: Arms = [ringJson, { ...ringJson, id: 'ring-json-again', title: 'ring JSON, again' }]

/** Each arm adds one thing to the previous one. */
export const isolation: Arms = [
  rawPort,
  ringJson,
  busArm('pass-ring-json', 'gate, empty hook', { ...RING_JSON, hook: 'pass', cipher: false }),
  busArm('hook-ring-json', 'gate with hook', { ...RING_JSON, hook: 'check', cipher: false }),
  isolationRingJson,
]

export const documents = (): Arms => [rawPort, ...peer('text'), ringJson, ringMsgpack, isolationRingJson]
export const events: Arms = [rawPort, ringJson, isolationRingJson]
