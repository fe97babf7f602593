// What the size of a document decides: how it is written, whether it is copied, and what the cipher costs.
import { hookRingJson } from '../arms/bus.js'
import { isolationRingJson, isolationRingMsgpack, ringJson, ringMsgpack } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import { sending } from '../arms/sending.js'
import { payloadBytes, type Payload } from '../payloads/payload.js'
import { sizedPayloads } from '../payloads/sized.js'
import { latency, rate, type Case, type Scenario } from '../scenario.js'
import { SHORT_SLOT } from './slot.js'

/** A frame of JSON or msgpack holds 16 MiB, in which a document of that size has no room, and a million values. */
const MOST = 4 * 2 ** 20

const thereAndBack = (payload: Payload): Case => ({
  id: payload.id,
  title: payload.title,
  task: { loop: 'calls' },
  payload,
  figures: [latency('p50', 'there and back'), { ...rate('rate', 'a second'), aside: true }],
})

const DOCUMENTS =
  'documents of small parts of the DevTools protocol, as JSON, as msgpack and as bytes of the same length, copied or given' +
  ' away (`{ transfer }`); of 0 B JSON is `{}`. A frame of JSON or msgpack holds less than 16 MiB, so that such documents go as bytes alone'

/** Reads its documents when it is asked for. */
export function payloadScenarios(): Scenario[] {
  const cases = sizedPayloads().map(thereAndBack)
  return [
    {
      id: 'payload',
      title: 'A payload there and back, by its size',
      about: `echo(document), one at a time: ${DOCUMENTS}`,
      arms: [
        sending(rawPort, { id: 'raw', title: 'raw clone', most: MOST }),
        sending(rawPort, { id: 'raw-given', title: 'raw given', as: 'given' }),
        sending(ringJson, { id: 'ring-json', title: 'JSON', most: MOST }),
        sending(ringMsgpack, { id: 'ring-msgpack', title: 'msgpack', most: MOST }),
        sending(ringJson, { id: 'ring-bytes', title: 'bytes', as: 'bytes' }),
        sending(ringJson, { id: 'ring-given', title: 'given', as: 'given' }),
      ],
      cases,
      rows: 'cases',
      ...SHORT_SLOT,
    },
    {
      id: 'payload-gate',
      title: 'A payload through the gate, by its size',
      about: `the same, through the checking hook, and sealed but for one arm: ${DOCUMENTS}`,
      arms: [
        sending(rawPort, { id: 'raw', title: 'raw clone', most: MOST }),
        sending(isolationRingJson, { id: 'isolation-ring-json', title: 'sealed JSON', most: MOST }),
        sending(isolationRingMsgpack, { id: 'isolation-ring-msgpack', title: 'sealed msgpack', most: MOST }),
        sending(isolationRingJson, { id: 'isolation-ring-bytes', title: 'sealed bytes', as: 'bytes' }),
        sending(isolationRingJson, { id: 'isolation-ring-given', title: 'sealed given', as: 'given' }),
        sending(hookRingJson, { id: 'hook-ring-bytes', title: 'gate alone, bytes', as: 'bytes' }),
      ],
      cases,
      rows: 'cases',
      ...SHORT_SLOT,
    },
  ]
}

/** What an arm leaves out, for whoever expects a figure of each. */
export const leavesOut = (armId: string, payload: Payload): boolean =>
  payloadBytes(payload) > MOST && !/-(bytes|given)$/.test(armId)
