// The arms of scenarios that compare settings of the bus: in each list the reference first.
import type { Capability } from '@sallyport/core'
import type { Arm, Arms } from '../model/scenario.js'
import * as bus from './bus.js'
import { cipher, FAN_LISTENERS, fanRaw, peerArms, rawPort } from './threads.js'

const { busArm, createCapability, isolationRingJson, portJson, RING_JSON, ringJson, ringMsgpack } = bus

/** The arms of the shapes of traffic. Reads the version of birpc. */
export const shapes = (): Arms => [
  rawPort,
  ...peerArms().filter(({ id }) => id === 'birpc'),
  portJson,
  ringJson,
  isolationRingJson,
]

/** The bus over both links, without and with a gate. */
export const plain: Arms = [rawPort, portJson, ringJson]
export const both: Arms = [...plain, isolationRingJson]

/** All that answers a call: the bare MessagePort, the peers, and the bus over each of its links. Reads the peers' versions. */
export const callArms = (): Arms => [
  rawPort,
  ...peerArms(),
  portJson,
  ringJson,
  ringMsgpack,
  isolationRingJson,
  bus.isolationRingMsgpack,
]

/** An arm called `…-again` is compared with the arm that it repeats. */
export const noise: Arms = [rawPort, ringJson, { ...ringJson, id: 'ring-json-again', title: 'ring JSON, again' }]

/** Each adds one thing; two of them have no cipher. */
export const isolation: Arms = [
  rawPort,
  ringJson,
  busArm('pass-ring-json', 'gate, empty hook', { ...RING_JSON, hook: 'pass', cipher: false }),
  busArm('hook-ring-json', 'gate with hook', { ...RING_JSON, hook: 'check', cipher: false }),
  isolationRingJson,
]

export const documents: Arms = [rawPort, ringJson, ringMsgpack, isolationRingJson, bus.isolationRingMsgpack]
export const events: Arms = [rawPort, ringJson, isolationRingJson]
export const encrypted: Arms = [cipher, isolationRingJson]

/** One core and many frontends, each in a worker: one measures, the others only listen. */
const fanArm = (link: 'port' | 'ring'): Arm =>
  busArm(`${link}-json`, `${link} JSON`, { codec: 'json', link, listeners: FAN_LISTENERS })
export const fanOut: Arms = [fanRaw, fanArm('port'), fanArm('ring')]

export const validation: Arms = [
  { ...ringJson, title: 'no schema' },
  busArm('zod', 'zod', { ...RING_JSON, greet: 'zod' }),
  busArm('valibot', 'valibot', { ...RING_JSON, greet: 'valibot' }),
]

/** So many capabilities that each apply to the frontend and allow every command once more. */
const MANY = Array.from({ length: 100 }, (_, index) => createCapability(`bench-${index}`))

/** Each also lets `scoped-greet` greet one more name; World is the last. */
const MANY_SCOPES = MANY.map((capability, index): Capability => {
  const name = index === MANY.length - 1 ? 'World' : `World ${index}`
  const scoped = { identifier: 'allow-scoped-greet', allow: [{ name }] }
  return { ...capability, permissions: [...capability.permissions, scoped] }
})

export const authority: Arms = [
  busArm('open', 'no capability', { ...RING_JSON, capabilities: 'open' }),
  busArm('1-capability', '1 capability', RING_JSON),
  busArm('100-capabilities', '100 capabilities', { ...RING_JSON, capabilities: MANY }),
  busArm('100-scopes', '100, with scopes', { ...RING_JSON, capabilities: MANY_SCOPES }),
]
