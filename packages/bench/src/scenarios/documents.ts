// Real documents there and back, plain and encrypted: where the size and the shape of what is sent decide.
import { isolationRingJson, isolationRingMsgpack, ringJson, ringMsgpack } from '../arms/links.js'
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
export const documents = (): Scenario => ({
  id: 'documents',
  title: 'Documents there and back',
  about:
    'echo(document), one at a time, plain and encrypted: a greet call, GitHub’s webhook events (all published examples of' +
    ' each), the Chrome DevTools protocol; median time there and back',
  main: true,
  arms: [rawPort, ringJson, ringMsgpack, isolationRingJson, isolationRingMsgpack],
  cases: payloads().map(thereAndBack),
  rows: 'cases',
  share: 0.8,
})
