// Real documents there and back, plain and encrypted: where the size and the shape of what is sent decide.
import { brownfieldJson, brownfieldMsgpack, isolationJson, isolationMsgpack } from '../arms/bus.js'
import { rawPort } from '../arms/raw-port.js'
import { devtoolsBytes, devtoolsProtocol } from '../payloads/devtools.js'
import { githubEvents } from '../payloads/github.js'
import { greet } from '../payloads/greet.js'
import type { Payload } from '../payloads/payload.js'
import { latency, type Case, type Scenario } from '../scenario.js'

const thereAndBack = (payload: Payload): Case => ({
  id: payload.id,
  title: payload.title,
  task: { loop: 'calls' },
  payload,
  figures: [latency('p50', 'there and back')],
})

const payloads = (): Payload[] => [
  greet,
  githubEvents('push'),
  githubEvents('issues'),
  githubEvents('pull_request'),
  devtoolsProtocol(),
  devtoolsBytes(),
]

/** Reads its documents when it is asked for. */
export const payload = (): Scenario => ({
  id: 'payload',
  title: 'Documents there and back',
  about: 'echo(document), one at a time, plain (brownfield) and encrypted (isolation); median time there and back',
  arms: [rawPort, brownfieldJson, brownfieldMsgpack, isolationJson, isolationMsgpack],
  cases: payloads().map(thereAndBack),
  rows: 'cases',
  share: 0.8,
})
