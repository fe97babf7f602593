// What the cipher costs, by the size of what is sealed: the gate with it beside the gate without it, and the call without a
// gate.
import { brownfieldJson, hookJson, isolationJson } from '../arms/bus.js'
import type { Payload } from '../payloads/payload.js'
import { sizedPayloads } from '../payloads/sized.js'
import { latency, type Case, type Scenario } from '../scenario.js'

const thereAndBack = (payload: Payload): Case => ({
  id: payload.id,
  title: payload.title,
  task: { loop: 'calls' },
  payload,
  figures: [latency('p50', 'there and back')],
})

const scenarioOf = (kind: 'json' | 'bytes', title: string, payloads: readonly Payload[]): Scenario => ({
  id: `cipher-${kind}`,
  title: `The cipher, ${title}`,
  about:
    'a document there and back, one at a time, sealed and not, through the same gate; the reference is the gate without' +
    ' the cipher',
  arms: [
    { ...hookJson, title: 'gate, no cipher' },
    { ...isolationJson, title: 'gate and cipher' },
    { ...brownfieldJson, title: 'no gate' },
  ],
  cases: payloads.map(thereAndBack),
  rows: 'cases',
  share: 5,
  settleShare: 1 / 3,
  roundsShare: 0.5,
  warmUpShare: 0.75,
})

/** Reads its documents when it is asked for. */
export function cipherScenarios(): Scenario[] {
  const { json, bytes } = sizedPayloads()
  return [scenarioOf('json', 'JSON', json), scenarioOf('bytes', 'bytes', bytes)]
}
