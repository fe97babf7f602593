// What the bus adds to NATS, where frontends and core are in other processes: beside NATS's own request and reply, and the bus
// within one process.
import { ringJson } from '../arms/links.js'
import { plainNats, tunedNats } from '../arms/nats.js'
import { isolationNatsJson, natsJson } from '../arms/nats-bus.js'
import { lacksServer } from '../arms/nats-server.js'
import { mebibyte } from '../payloads/bytes.js'
import { usualCall } from '../payloads/greet.js'
import { latency, rate, type Scenario } from '../scenario.js'
import { alone, pipelined } from './calls.js'
import { oneWay } from './events.js'
import { LINK_SLOT } from './slot.js'

/** Looks for the version of NATS's client when it is asked for. */
export const natsScenarios = (): Scenario[] => [
  {
    id: 'nats',
    title: 'Calls over NATS',
    about:
      'greet({ name, n, tags[3] }) between two threads that meet over a NATS server on this machine, one at a time and' +
      ' 64 in flight, and over a ring; the reference is NATS’s own request and reply',
    arms: [plainNats(), tunedNats(), natsJson, isolationNatsJson, ringJson],
    cases: [alone(usualCall), pipelined(usualCall, '64', '64 in flight')],
    rows: 'arms',
    lacks: lacksServer,
    ...LINK_SLOT,
  },
  {
    id: 'nats-events',
    title: 'Events over NATS',
    about: 'events a second (at most 1024 on their way), every one counted; the reference is one NATS message for each',
    arms: [plainNats(), tunedNats(), natsJson, isolationNatsJson, ringJson],
    cases: [oneWay('in', 'core → frontend'), oneWay('out', 'frontend → core')],
    rows: 'cases',
    lacks: lacksServer,
    ...LINK_SLOT,
  },
  {
    id: 'nats-bytes',
    title: '1 MiB of bytes there and back over NATS',
    about: 'as much as a NATS message may hold; the reference is NATS’s own request and reply',
    arms: [plainNats(), tunedNats(), natsJson, isolationNatsJson, ringJson],
    cases: [
      {
        id: 'mebibyte',
        title: '1 MiB',
        task: { loop: 'calls' },
        payload: mebibyte(),
        figures: [latency('p50', 'there and back'), rate('rate', 'a second')],
      },
    ],
    rows: 'arms',
    lacks: lacksServer,
    ...LINK_SLOT,
  },
]
