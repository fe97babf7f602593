// The codecs alone: a message written and read again, in one thread, with nothing sent. Explains a part of all the others.
import { cloneCodec, jsonCodec, msgpackCodec } from '../arms/codec.js'
import { devtoolsProtocol } from '../payloads/devtools.js'
import { usualCall } from '../payloads/greet.js'
import type { Payload } from '../payloads/payload.js'
import { latency, type Case, type Scenario } from '../scenario.js'

const written = (id: string, title: string, payload: Payload, inFlight: number): Case => ({
  id,
  title,
  task: { loop: 'codec', inFlight },
  payload,
  figures: [latency('each', 'each message')],
})

/** Reads its documents when it is asked for. */
export const codec = (): Scenario => ({
  id: 'codec',
  title: 'Codecs alone',
  about:
    'a message written and read again in one thread, time for each message; the reference is V8’s structured clone',
  main: true,
  arms: [cloneCodec, jsonCodec, msgpackCodec],
  cases: [
    written('usual', 'a call', usualCall, 1),
    written('usual-64', 'a call, 64 a frame', usualCall, 64),
    written('devtools', 'DevTools protocol', devtoolsProtocol(), 1),
  ],
  rows: 'cases',
  share: 0.5,
  warmUpShare: 0.5,
})
